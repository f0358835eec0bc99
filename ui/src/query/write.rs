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
            Criterion::Word(word) => f.write_str(&quoted(word, self.negated)),
            Criterion::Fact {
                key,
                comparison,
                value,
            } => {
                let sign = match comparison {
                    Comparison::Is => "",
                    Comparison::Above => ">",
                    Comparison::Below => "<",
                };
                let value = if value.contains(char::is_whitespace) {
                    format!("\"{value}\"")
                } else {
                    value.clone()
                };
                write!(f, "{}:{sign}{value}", key.as_str())
            }
        }
    }
}

/// A word, in quotes where it would otherwise not parse as the same word.
fn quoted(word: &str, negated: bool) -> String {
    let looks_like_more = word.starts_with('-')
        || word
            .split_once(':')
            .is_some_and(|(key, _)| Key::from_word(key).is_some());
    if !negated && looks_like_more || word.contains(char::is_whitespace) {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}
