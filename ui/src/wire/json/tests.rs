//! The reader gives the same values as `serde_json`.

use super::*;
use proptest::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Up,
    GoingDown,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Pair { left: i16, right: Option<bool> },
    Whole(Part),
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    fraction: Option<f32>,
    range: (u64, i64),
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Document {
    tagged: Vec<Tagged>,
    parts: Vec<Part>,
}

fn part() -> impl Strategy<Value = Part> {
    let state = prop_oneof![Just(State::Up), Just(State::GoingDown), Just(State::Unknown)];
    let fraction = proptest::option::of(proptest::num::f32::NORMAL | proptest::num::f32::ZERO);
    let labels = proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3);
    (any::<String>(), labels, fraction, any::<(u64, i64)>(), state).prop_map(
        |(name, labels, fraction, range, state)| Part {
            name,
            labels,
            fraction,
            range,
            state,
        },
    )
}

fn tagged() -> impl Strategy<Value = Tagged> {
    prop_oneof![
        any::<(i16, Option<bool>)>().prop_map(|(left, right)| Tagged::Pair { left, right }),
        part().prop_map(Tagged::Whole),
        Just(Tagged::Nothing),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    let tagged = proptest::collection::vec(tagged(), 0..4);
    let parts = proptest::collection::vec(part(), 0..4);
    (tagged, parts).prop_map(|(tagged, parts)| Document { tagged, parts })
}

proptest! {
    #[test]
    fn what_is_written_is_read(document in document(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        prop_assert_eq!(read::<Document>(&text.unwrap()).unwrap(), document);
    }

    #[test]
    fn any_text_is_read_or_refused(text: String, around in document(), at: prop::sample::Index) {
        let _ = read::<serde_json::Value>(&text);
        let mut whole = serde_json::to_string(&around).unwrap();
        let at = at.index(whole.len());
        if whole.is_char_boundary(at) {
            whole.insert_str(at, &text);
            let _ = read::<Document>(&whole);
            prop_assert_eq!(read::<Document>(&whole[..at]), Err(Unreadable));
        }
    }
}

#[test]
fn escapes_stand_for_characters() {
    let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\udea2 é""#;
    let expected: String = serde_json::from_str(text).unwrap();
    assert_eq!(read::<String>(text), Ok(expected));
    for text in [
        r#""\x""#,
        r#""\u12""#,
        r#""\ud83d""#,
        r#""\ud83d\n""#,
        r#""\udea2""#,
        "\"\n\"",
        "\"a",
    ] {
        assert_eq!(read::<String>(text), Err(Unreadable), "{text}");
    }
}

#[test]
fn text_of_a_value_is_kept_as_it_is() {
    #[derive(Debug, Deserialize)]
    struct Holder<'a> {
        #[serde(borrow)]
        held: Vec<Raw<'a>>,
    }
    let text = r#"{"later":[{"]":1}],"held":[ 1.5e3, {"a":[ "}\"" , null]},"x",true ]}"#;
    let holder: Holder<'_> = read(text).unwrap();
    let texts: Vec<_> = holder.held.iter().map(|raw| raw.0).collect();
    assert_eq!(texts, ["1.5e3", r#"{"a":[ "}\"" , null]}"#, "\"x\"", "true"]);
}

#[test]
fn what_is_no_value_is_refused() {
    for text in [
        "",
        "1 2",
        "-",
        ".5",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "nul",
        "{1:2}",
        "[",
        "\0",
        "e5",
    ] {
        assert_eq!(read::<serde_json::Value>(text), Err(Unreadable), "{text}");
    }
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    assert_eq!(read::<serde_json::Value>(&deep), Err(Unreadable));
}
