//! A filter by a closed list of values: all of them with their counts, each asked for, ruled out or neither.

use super::{TableState, spec::Facet};
use crate::{components::popover::Popover, copy::table as copy, format::count, query::Key};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub words: String,
    pub count: usize,
    /// Asked for, ruled out, or neither.
    pub chosen: Option<bool>,
}

#[component]
pub(super) fn FacetButton(table: TableState, facet: &'static Facet) -> impl IntoView {
    let label = move || {
        let chosen = table.query.with(|query| query.choices(facet.key));
        let words = chosen
            .into_iter()
            .map(|(value, wanted)| (words_of(facet, &value), wanted));
        copy::facet(facet.title, &words.collect::<Vec<_>>())
    };
    let panel = move || {
        let choices = Memo::new(move |_| choices(table, facet));
        view! {
            <ul class="facet-values">
                <For each=move || choices.get() key=|choice| (choice.value.clone(), choice.count, choice.chosen) let:choice>
                    <OneChoice table key=facet.key choice/>
                </For>
            </ul>
        }
    };
    view! { <Popover label=Signal::derive(label) name=facet.title class="facet" panel/> }
}

#[component]
fn OneChoice(table: TableState, key: Key, choice: Choice) -> impl IntoView {
    let set = move |value: &str, chosen: Option<bool>| table.choose(key, value, chosen);
    let (asked, ruled_out) = (choice.chosen == Some(true), choice.chosen == Some(false));
    let (value, same) = (choice.value.clone(), choice.value);
    let exclude = copy::exclude(&choice.words);
    view! {
        <li class:ruled-out=ruled_out>
            <label>
                <input type="checkbox" prop:checked=asked on:change=move |_| set(&value, (!asked).then_some(true))/>
                <span class="words">{choice.words}</span>
                <span class="count">{count(choice.count)}</span>
            </label>
            <button type="button" class="not" aria-label=exclude.clone() title=exclude aria-pressed=ruled_out.to_string()
                on:click=move |_| set(&same, (!ruled_out).then_some(false))>
                "not"
            </button>
        </li>
    }
}

/// Every possible value, counted among the rows that pass everything else.
fn choices(table: TableState, facet: &'static Facet) -> Vec<Choice> {
    let mut counts: BTreeMap<String, usize> = facet
        .values
        .iter()
        .map(|(value, _)| ((*value).to_owned(), 0))
        .collect();
    let open = facet.values.is_empty();
    table.query.with(|query| {
        table.order.with(|order| {
            for row in order.rows.0.iter() {
                let subject = row.subject();
                let counted = query.matches_except(subject, Some(facet.key));
                for value in subject.values(facet.key) {
                    if let Some(count) = counts.get_mut(value) {
                        *count += usize::from(counted);
                    } else if open {
                        counts.insert(value.to_owned(), usize::from(counted));
                    }
                }
            }
        });
        let choice = |value: String| Choice {
            words: words_of(facet, &value),
            count: *counts.get(&value).unwrap_or(&0),
            chosen: query.choice(facet.key, &value),
            value,
        };
        if open {
            counts.keys().cloned().map(choice).collect()
        } else {
            facet
                .values
                .iter()
                .map(|(value, _)| choice((*value).to_owned()))
                .collect()
        }
    })
}

fn words_of(facet: &Facet, value: &str) -> String {
    let known = facet.values.iter().find(|(known, _)| *known == value);
    known.map_or_else(|| value.to_owned(), |(_, words)| (*words).to_owned())
}
