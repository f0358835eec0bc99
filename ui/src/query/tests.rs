//! What people type into a filter, and what it finds.

use super::*;
use proptest::prelude::*;

fn postgres() -> Subject {
    let mut subject = Subject::new(["postgres", "nas", "Postgres:17"]);
    for (key, value) in [
        (Key::Status, "unhealthy"),
        (Key::Device, "nas"),
        (Key::Tag, "prod"),
        (Key::Tag, "media"),
        (Key::Image, "postgres:17"),
        (Key::Port, "5432"),
        (Key::Port, "20000-20999"),
        (Key::Stack, ""),
    ] {
        subject.add(key, value);
    }
    subject
}

#[test]
fn words_facts_and_numbers_select_rows() {
    for (text, expected) in [
        ("", true),
        ("POST nas", true),
        ("post vps", false),
        ("-redis", true),
        ("-post", false),
        ("status:unhealthy", true),
        ("status:running", false),
        ("status:running status:unhealthy", true),
        ("status:unhealthy tag:edge", false),
        ("-status:unhealthy", false),
        ("-tag:edge tag:prod", true),
        ("image:postgres", true),
        ("device:na", false),
        ("port:>1024", true),
        ("port:>20500", true),
        ("port:>21000", false),
        ("port:<1024", false),
        ("port:20500", true),
        ("port:21000", false),
        ("port:>x", false),
        ("postgres:17", true),
        ("\"postgres nas\"", false),
        ("port:\">1024\"", false),
        ("-\"status:unhealthy\"", true),
        ("-\"postgres\"", false),
        ("image:\"postgres:\"17", true),
        ("status:", true),
        ("-status:", true),
    ] {
        assert_eq!(Query::parse(text).matches(&postgres()), expected, "{text}");
    }
}

#[test]
fn a_facet_counts_as_if_it_asked_for_nothing() {
    let query = Query::parse("status:running tag:prod");
    assert!(query.matches_except(&postgres(), Some(Key::Status)));
    assert!(!query.matches_except(&postgres(), Some(Key::Tag)));
}

#[test]
fn choices_replace_each_other_and_leave_the_rest() {
    let query = Query::parse("redis status:running");
    let query = query
        .with_choice(Key::Status, "running", Some(false))
        .with_choice(Key::Tag, "my tag", Some(true));
    assert_eq!(query.to_string(), "redis -status:running tag:\"my tag\"");
    assert_eq!(query.choice(Key::Status, "Running"), Some(false));
    assert_eq!(query.choices(Key::Tag), [("my tag".to_owned(), true)]);
    assert_eq!(query.without(Key::Status).without(Key::Tag).to_string(), "redis");
}

proptest! {
    #[test]
    fn what_prints_parses_back(text in "[a-z:>\" -]{0,30}|(status|tag):[a-z\" ]{0,8}( -?[a-z]{1,5}){0,3}") {
        let query = Query::parse(&text);
        prop_assert_eq!(Query::parse(&query.to_string()), query);
    }

    #[test]
    fn a_chosen_value_is_the_same_after_it_was_written(value in ".{1,12}", is_wanted in any::<bool>()) {
        let query = Query::default().with_choice(Key::Tag, &value, Some(is_wanted));
        prop_assert_eq!(query.choice(Key::Tag, &value), Some(is_wanted));
        prop_assert_eq!(Query::parse(&query.to_string()), query);
    }

    #[test]
    fn any_text_parses(text in ".{0,60}") {
        let _ = Query::parse(&text).matches(&postgres());
    }

    #[test]
    fn a_word_and_its_negation_part_all_rows(word in "[a-z]{1,6}") {
        let with = Query::parse(&word).matches(&postgres());
        let without = Query::parse(&format!("-{word}")).matches(&postgres());
        prop_assert_ne!(with, without);
    }
}
