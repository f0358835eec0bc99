//! The two halves of a filter: the text in the field, and the values chosen from lists beside it.
//!
//! A typed fact stays text while its page is open. In the page's address both halves are one filter.

use super::TableState;
use crate::query::{Key, Query};
use leptos::prelude::*;

impl TableState {
    /// Includes or excludes a value of a key, or neither. Typed terms about that value are removed.
    pub fn choose(self, key: Key, value: &str, choice: Option<bool>) {
        self.retype(|typed| typed.with_choice(key, value, None));
        self.chosen
            .update(|chosen| *chosen = std::mem::take(chosen).with_choice(key, value, choice));
    }

    /// Removes all terms of a key.
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

    /// Splits a filter into its halves, unless it is the one in use.
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

    /// The keys whose values are listed in the toolbar: those of facets and of the page's own field.
    fn choosable(self) -> Vec<Key> {
        let facets = self.spec.facets().into_iter().map(|facet| facet.key);
        facets.chain(self.spec.about.scope.iter().copied()).collect()
    }

    fn retype(self, change: impl FnOnce(Query) -> Query) {
        let typed = self.text.with_untracked(|text| Query::parse(text));
        let changed = change(typed.clone());
        if changed != typed {
            self.text.set(changed.to_string());
        }
    }
}
