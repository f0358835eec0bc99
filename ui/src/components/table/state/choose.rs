//! The filter in its two halves: what is typed in the field, and what is chosen from lists of values beside it.
//!
//! A fact that is typed stays text for as long as its page is open; in the page's address both halves are one filter.

use super::TableState;
use crate::query::{Key, Query};
use leptos::prelude::*;

impl TableState {
    /// Asks for a value of a key, rules it out, or neither; what was typed about that value is dropped.
    pub fn choose(self, key: Key, value: &str, choice: Option<bool>) {
        self.retype(|typed| typed.with_choice(key, value, None));
        self.chosen
            .update(|chosen| *chosen = std::mem::take(chosen).with_choice(key, value, choice));
    }

    /// Drops everything that is asked about a key.
    pub fn forget(self, key: Key) {
        self.retype(|typed| typed.without(key));
        self.chosen
            .update(|chosen| *chosen = std::mem::take(chosen).without(key));
    }

    pub(in super::super) fn clear_filter(self) {
        self.text.set(String::new());
        self.chosen.set(Query::default());
    }

    /// Both halves as one text.
    pub(in super::super) fn filter(self) -> String {
        let (text, chosen) = (self.text.get(), self.chosen.with(ToString::to_string));
        let halves = [text.trim(), chosen.as_str()];
        halves
            .into_iter()
            .filter(|half| !half.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Takes a filter apart, unless it is the one that is in use.
    pub(super) fn set_filter(self, filter: &str) {
        if untrack(|| self.filter()) == filter.trim() {
            return;
        }
        let (chosen, typed) = Query::parse(filter).split(&self.choosable());
        let text = if chosen.is_empty() {
            filter.trim().to_owned()
        } else {
            typed.to_string()
        };
        self.text.set(text);
        self.chosen.set(chosen);
    }

    /// Keys with a list of their values in the toolbar: the facets, and those of the Device choice.
    fn choosable(self) -> Vec<Key> {
        let facets = self.spec.facets.iter().map(|facet| facet.key);
        let scope = [Key::Device, Key::Tag]
            .into_iter()
            .filter(|key| self.spec.keys.contains(key));
        facets.chain(scope).collect()
    }

    fn retype(self, change: impl FnOnce(Query) -> Query) {
        let typed = self.text.with_untracked(|text| Query::parse(text));
        let changed = change(typed.clone());
        if changed != typed {
            self.text.set(changed.to_string());
        }
    }
}
