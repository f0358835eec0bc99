//! Suggestions for the term that is being typed in a filter: keys, and after a colon the values of the key.

use super::{Key, write::value_as_text};

/// A suggestion: its label, and the text of the whole filter once it is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub label: String,
    pub text: String,
}

/// At most this many suggestions are listed.
const SHOWN: usize = 10;

/// Suggestions for the last term of a filter. `values` gives the values of a key that rows have.
#[must_use]
pub fn suggest(text: &str, keys: &[Key], values: impl Fn(Key) -> Vec<String>) -> Vec<Suggestion> {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (before, term) = text.split_at(start);
    let (sign, bare) = term.strip_prefix('-').map_or(("", term), |rest| ("-", rest));
    // With an odd number of quotes, the last term is inside of them.
    let is_quoted = bare.contains('"') || before.matches('"').count() % 2 == 1;
    if bare.is_empty() || is_quoted {
        return Vec::new();
    }
    let bare = bare.to_lowercase();
    if let Some((key, begun)) = bare.split_once(':') {
        let Some(key) = keys.iter().find(|known| known.as_str() == key) else {
            return Vec::new();
        };
        let matching = values(*key)
            .into_iter()
            .filter(|value| value.starts_with(begun) && value != begun);
        let offer = |value: String| {
            let written = value_as_text(&value);
            Suggestion {
                label: value,
                text: format!("{before}{sign}{}:{written} ", key.as_str()),
            }
        };
        return matching.take(SHOWN).map(offer).collect();
    }
    let begun = keys.iter().filter(|key| key.as_str().starts_with(&bare));
    let offer = |key: &Key| Suggestion {
        label: format!("{sign}{}:", key.as_str()),
        text: format!("{before}{sign}{}:", key.as_str()),
    };
    begun.map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        let values = |key| {
            if key == Key::Status {
                vec!["running".to_owned(), "exited".to_owned()]
            } else if key == Key::Stack {
                vec!["my \"own\" stack".to_owned(), ">5".to_owned()]
            } else {
                vec![]
            }
        };
        suggest(text, &[Key::Status, Key::Stack], values)
            .into_iter()
            .map(|offer| offer.text)
            .collect()
    }

    #[test]
    fn keys_come_first_then_their_values() {
        assert_eq!(labels("redis st"), ["redis status:", "redis stack:"]);
        assert_eq!(labels("redis -status:r"), ["redis -status:running "]);
        assert_eq!(labels("status:"), ["status:running ", "status:exited "]);
        assert_eq!(
            labels("stack:"),
            ["stack:\"my \"\"own\"\" stack\" ", "stack:\">5\" "]
        );
    }

    #[test]
    fn nothing_is_offered_for_words_and_finished_terms() {
        for text in [
            "",
            "redis",
            "status:running",
            "status:running ",
            "postgres:1",
            "\"st",
            "\"my st",
        ] {
            assert!(labels(text).is_empty(), "{text}");
        }
    }
}
