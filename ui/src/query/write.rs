//! A query as text. [`Query::parse`] reads the text back as an equal query.

use super::{Comparison, Criterion, Key, Query, Term};
use std::fmt;

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        match &self.criterion {
            Criterion::Word(word) => f.write_str(&written(word, is_more_than_a_word(word))),
            Criterion::Fact {
                key,
                comparison,
                value,
            } => {
                let sign = match comparison {
                    Comparison::Is => return f.write_str(&fact(*key, value)),
                    Comparison::Above => ">",
                    Comparison::Below => "<",
                };
                write!(f, "{}:{sign}{}", key.as_str(), written(value, false))
            }
        }
    }
}

/// The term for rows that have this value of a key.
#[must_use]
pub fn fact(key: Key, value: &str) -> String {
    format!("{}:{}", key.as_str(), value_as_text(value))
}

/// A value of a key, as it is written behind the colon.
pub(super) fn value_as_text(value: &str) -> String {
    written(value, value.starts_with(['>', '<']))
}

/// Whether a word without quotes would parse as something else.
fn is_more_than_a_word(word: &str) -> bool {
    let key = word.split_once(':').and_then(|(key, _)| Key::from_word(key));
    word.starts_with('-') || key.is_some()
}

/// A text, in quotes where it would otherwise not parse as the same text.
fn written(text: &str, looks_like_more: bool) -> String {
    if looks_like_more || text.contains(|c: char| c.is_whitespace() || c == '"') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
