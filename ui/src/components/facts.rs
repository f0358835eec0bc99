//! What is said of an object: names and values, one below the other.

use super::{
    age::AgeLabel,
    badge::{Status, status_badge},
    table::Dash,
};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;

/// A name and its value. Names are unique in a list of facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub name: &'static str,
    pub value: Value,
}

impl Fact {
    #[must_use]
    pub fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self {
            name,
            value: value.into(),
        }
    }
}

/// A value as data, so that a change can be told from a repetition.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Unknown, or there is none.
    Nothing,
    Text(String),
    /// An id, an address, a path.
    Mono(String),
    List(Vec<String>),
    MonoList(Vec<String>),
    Link {
        text: String,
        address: String,
    },
    Age(Timestamp),
    Status(Status),
}

impl Value {
    #[must_use]
    pub fn mono(text: &str) -> Self {
        Self::Mono(text.to_owned())
    }

    #[must_use]
    pub fn link(text: impl ToString, address: String) -> Self {
        Self::Link {
            text: text.to_string(),
            address,
        }
    }

    fn view(self) -> AnyView {
        match self {
            Self::Nothing => view! { <Dash/> }.into_any(),
            Self::Text(text) => text.into_any(),
            Self::Mono(text) => view! { <span class="mono">{text}</span> }.into_any(),
            Self::List(lines) => listed(lines),
            Self::MonoList(lines) => view! { <div class="mono">{listed(lines)}</div> }.into_any(),
            Self::Link { text, address } => view! { <a href=address>{text}</a> }.into_any(),
            Self::Age(moment) => view! { <AgeLabel moment/> }.into_any(),
            Self::Status(status) => status_badge(&status, true, false),
        }
    }

    /// Whether there is nothing to show.
    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Mono(text) => text.is_empty(),
            Self::List(lines) | Self::MonoList(lines) => lines.is_empty(),
            _ => false,
        }
    }
}

fn listed(lines: Vec<String>) -> AnyView {
    let line = |line| view! { <li>{line}</li> };
    view! { <ul>{lines.into_iter().map(line).collect_view()}</ul> }.into_any()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for Value {
    fn from(lines: Vec<String>) -> Self {
        Self::List(lines)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Age(moment)
    }
}

impl From<Status> for Value {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// The list of facts. A value that stays the same keeps its elements.
#[component]
pub fn Facts(#[prop(into)] facts: Signal<Vec<Fact>>) -> impl IntoView {
    let facts = Memo::new(move |_| facts.get());
    let names =
        Memo::new(move |_| facts.with(|facts| facts.iter().map(|fact| fact.name).collect::<Vec<_>>()));
    let fact = move |name: &'static str| {
        let value = Memo::new(move |_| {
            facts.with(|facts| {
                let own = facts.iter().find(|fact| fact.name == name);
                own.map(|fact| fact.value.clone())
                    .filter(|value| !value.is_empty())
                    .unwrap_or(Value::Nothing)
            })
        });
        view! { <div><dt>{name}</dt><dd>{move || value.get().view()}</dd></div> }
    };
    view! { <dl class="facts"><For each=move || names.get() key=|name| *name children=fact/></dl> }
}
