//! The filter language that every table shares, mirrored in the address as `?q=`.
//!
//! Free words must all occur in a row. `key:value` filters by a fact, `-` before a term negates it, `key:>n` and
//! `key:<n` compare numbers. Several values of one key mean any of them; different keys must all hold. What is in
//! quotes is taken as it is, spaces and signs too; in it, two quotes are one. A term whose key is unknown is a word, so
//! that `postgres:17` finds the image of that name.

mod suggest;
mod write;

pub use suggest::{Suggestion, suggest};
pub use write::fact;

use std::ops::RangeInclusive;

/// The name of a fact of rows that a filter can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Status,
    Device,
    Tag,
    Stack,
    Image,
    Mode,
    Port,
    Driver,
    Who,
    Action,
    Path,
}

impl Key {
    pub const ALL: [Self; 11] = [
        Self::Status,
        Self::Device,
        Self::Tag,
        Self::Stack,
        Self::Image,
        Self::Mode,
        Self::Port,
        Self::Driver,
        Self::Who,
        Self::Action,
        Self::Path,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Device => "device",
            Self::Tag => "tag",
            Self::Stack => "stack",
            Self::Image => "image",
            Self::Mode => "mode",
            Self::Port => "port",
            Self::Driver => "driver",
            Self::Who => "who",
            Self::Action => "action",
            Self::Path => "path",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether `wanted` is a part of the value that is enough to match: an image without its tag, a port inside a
    /// range.
    fn matches_part(self, known: &str, wanted: &str) -> bool {
        match self {
            Self::Image => known.contains(wanted),
            Self::Port => {
                let span = span(known).zip(wanted.parse::<f64>().ok());
                span.is_some_and(|(span, wanted)| span.contains(&wanted))
            }
            _ => false,
        }
    }
}

/// A number, or a range of them: `20000-20999`.
fn span(text: &str) -> Option<RangeInclusive<f64>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// How a fact is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Is,
    Above,
    Below,
}

/// The condition of one term, before negation. Texts are lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    Word(String),
    Fact {
        key: Key,
        comparison: Comparison,
        value: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub negated: bool,
    pub criterion: Criterion,
}

/// A parsed filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pub terms: Vec<Term>,
}

/// The texts and facts of a row that filters match, prepared once per change of the row. Texts are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    text: String,
    facts: Vec<(Key, String)>,
}

impl Subject {
    /// A row that free words find by these parts.
    #[must_use]
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for part in parts {
            text.push_str(part);
            // A word holds no line break, so no match spans two parts.
            text.push('\n');
        }
        text.make_ascii_lowercase();
        let text = if text.is_ascii() {
            text
        } else {
            text.to_lowercase()
        };
        Self {
            text,
            facts: Vec::new(),
        }
    }

    /// Adds a fact; an empty value is none.
    pub fn add(&mut self, key: Key, value: &str) {
        if !value.is_empty() {
            self.facts.push((key, value.to_lowercase()));
        }
    }

    pub fn values(&self, key: Key) -> impl Iterator<Item = &str> {
        self.facts
            .iter()
            .filter(move |(known, _)| *known == key)
            .map(|(_, value)| value.as_str())
    }
}

impl Query {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self {
            terms: tokens(text).iter().filter_map(Term::parse).collect(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row passes this filter.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        self.matches_except(subject, None)
    }

    /// Whether a row passes without the terms of one key. A facet counts its own values in this way.
    #[must_use]
    pub fn matches_except(&self, subject: &Subject, left_out: Option<Key>) -> bool {
        let concerns = |term: &&Term| left_out.is_none() || term.key() != left_out;
        self.terms.iter().filter(concerns).all(|term| {
            if term.negated || term.key().is_none() {
                return term.holds(subject) != term.negated;
            }
            let same_key = |other: &&Term| !other.negated && other.key() == term.key();
            self.terms.iter().filter(same_key).any(|term| term.holds(subject))
        })
    }

    /// The free words that are not negated, for marking where they occur.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.terms
            .iter()
            .filter(|term| !term.negated)
            .filter_map(|term| match &term.criterion {
                Criterion::Word(word) => Some(word.as_str()),
                Criterion::Fact { .. } => None,
            })
    }

    /// Whether a value of a key is included (`Some(true)`), excluded (`Some(false)`) or neither.
    #[must_use]
    pub fn choice(&self, key: Key, value: &str) -> Option<bool> {
        self.terms
            .iter()
            .find(|term| term.is(key, value))
            .map(|term| !term.negated)
    }

    /// The same filter with a value of a key included, excluded or neither.
    #[must_use]
    pub fn with_choice(mut self, key: Key, value: &str, choice: Option<bool>) -> Self {
        self.terms.retain(|term| !term.is(key, value));
        if let Some(wanted) = choice {
            let criterion = Criterion::Fact {
                key,
                comparison: Comparison::Is,
                value: value.to_lowercase(),
            };
            self.terms.push(Term {
                negated: !wanted,
                criterion,
            });
        }
        self
    }

    /// The same filter without the terms of a key.
    #[must_use]
    pub fn without(mut self, key: Key) -> Self {
        self.terms.retain(|term| term.key() != Some(key));
        self
    }

    /// A filter with the terms of both.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        self.terms.append(&mut other.terms);
        self
    }

    /// Splits off the terms that a list of values of these keys can show: exact values. The second filter has the
    /// others.
    #[must_use]
    pub fn split(self, keys: &[Key]) -> (Self, Self) {
        let is_choice = |term: &Term| {
            matches!(&term.criterion, Criterion::Fact { key, comparison: Comparison::Is, value }
                if keys.contains(key) && !value.is_empty())
        };
        let (choices, rest) = self.terms.into_iter().partition(is_choice);
        (Self { terms: choices }, Self { terms: rest })
    }

    /// Values of a key that are included (`true`) or excluded (`false`).
    #[must_use]
    pub fn choices(&self, key: Key) -> Vec<(String, bool)> {
        let choice = |term: &Term| match &term.criterion {
            Criterion::Fact { key: of, value, .. } if *of == key && !value.is_empty() => {
                Some((value.clone(), !term.negated))
            }
            _ => None,
        };
        self.terms.iter().filter_map(choice).collect()
    }
}

impl Term {
    fn parse(token: &Token) -> Option<Self> {
        let text = token.text.as_str();
        let negated = text.len() > 1 && text.starts_with('-') && token.is_bare(0);
        let start = usize::from(negated);
        let colon = text[start..].find(':').map(|at| start + at);
        let fact = colon.filter(|_| token.is_bare(start)).and_then(|colon| {
            let key = Key::from_word(&text[start..colon])?;
            Some((key, colon + 1))
        });
        let criterion = match fact {
            Some((key, value)) => {
                let sign = text[value..].chars().next().filter(|_| token.is_bare(value));
                let (comparison, value) = match sign {
                    Some('>') => (Comparison::Above, value + 1),
                    Some('<') => (Comparison::Below, value + 1),
                    _ => (Comparison::Is, value),
                };
                let value = text[value..].to_lowercase();
                Criterion::Fact {
                    key,
                    comparison,
                    value,
                }
            }
            None => Criterion::Word(text[start..].to_lowercase()),
        };
        (!matches!(&criterion, Criterion::Word(word) if word.is_empty()))
            .then_some(Self { negated, criterion })
    }

    fn key(&self) -> Option<Key> {
        match &self.criterion {
            Criterion::Word(_) => None,
            Criterion::Fact { key, .. } => Some(*key),
        }
    }

    fn is(&self, wanted: Key, text: &str) -> bool {
        matches!(&self.criterion, Criterion::Fact { key, comparison: Comparison::Is, value }
            if *key == wanted && *value == text.to_lowercase())
    }

    fn holds(&self, subject: &Subject) -> bool {
        match &self.criterion {
            Criterion::Word(word) => subject.text.contains(word.as_str()),
            // A term without a value is still being typed. It matches every row, negated or not.
            Criterion::Fact { value, .. } if value.is_empty() => !self.negated,
            Criterion::Fact {
                key,
                comparison: Comparison::Is,
                value,
            } => subject
                .values(*key)
                .any(|known| known == value || key.matches_part(known, value)),
            Criterion::Fact {
                key,
                comparison,
                value,
            } => {
                let Ok(bound) = value.parse::<f64>() else {
                    return false;
                };
                let mut spans = subject.values(*key).filter_map(span);
                spans.any(|span| {
                    if *comparison == Comparison::Above {
                        *span.end() > bound
                    } else {
                        *span.start() < bound
                    }
                })
            }
        }
    }
}

#[derive(Debug, Default)]
struct Token {
    text: String,
    /// Where in the text the first quotes began.
    quoted_from: Option<usize>,
}

impl Token {
    /// Whether a sign at this place has its meaning: no quotes began before it.
    fn is_bare(&self, at: usize) -> bool {
        self.quoted_from.is_none_or(|quoted| quoted > at)
    }
}

/// Splits at white space outside quotes. A quote that is not closed lasts to the end.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut token = Token::default();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' && quoted && chars.next_if_eq(&'"').is_some() {
            token.text.push('"');
        } else if c == '"' {
            quoted = !quoted;
            token.quoted_from.get_or_insert(token.text.len());
        } else if c.is_whitespace() && !quoted {
            if !token.text.is_empty() {
                tokens.push(std::mem::take(&mut token));
            }
            token = Token::default();
        } else {
            token.text.push(c);
        }
    }
    if !token.text.is_empty() {
        tokens.push(token);
    }
    tokens
}

#[cfg(test)]
mod tests;
