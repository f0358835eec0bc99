//! Facets: filters by a list of values with their counts, each of which is included, excluded or neither.

use super::{TableState, spec::Facet};
use crate::{components::popover::Popover, copy::table as copy, format::count, query::Key};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// A value of a facet with its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    pub value: String,
    pub words: String,
    pub count: usize,
    /// Included (`true`), excluded (`false`) or neither.
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
        let values = Memo::new(move |_| values_of(table, facet));
        view! {
            <ul class="facet-values">
                <For each=move || values.get() key=|value| (value.value.clone(), value.count, value.chosen) let:facet_value>
                    <FacetValueLine table key=facet.key facet_value/>
                </For>
            </ul>
        }
    };
    view! { <Popover label=Signal::derive(label) name=facet.title class="facet" panel/> }
}

#[component]
fn FacetValueLine(table: TableState, key: Key, facet_value: FacetValue) -> impl IntoView {
    let set = move |value: &str, chosen: Option<bool>| table.choose(key, value, chosen);
    let (included, excluded) = (
        facet_value.chosen == Some(true),
        facet_value.chosen == Some(false),
    );
    let (value, same) = (facet_value.value.clone(), facet_value.value);
    let exclude = copy::exclude(&facet_value.words);
    view! {
        <li class:ruled-out=excluded>
            <label>
                <input type="checkbox" prop:checked=included on:change=move |_| set(&value, (!included).then_some(true))/>
                <span class="words">{facet_value.words}</span>
                <span class="count">{count(facet_value.count)}</span>
            </label>
            <button type="button" class="not" aria-label=exclude.clone() title=exclude aria-pressed=excluded.to_string()
                on:click=move |_| set(&same, (!excluded).then_some(false))>
                "not"
            </button>
        </li>
    }
}

/// All values of a facet. A count is of the rows that pass the other terms of the filter.
fn values_of(table: TableState, facet: &'static Facet) -> Vec<FacetValue> {
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
        let facet_value = |value: String| FacetValue {
            words: words_of(facet, &value),
            count: *counts.get(&value).unwrap_or(&0),
            chosen: query.choice(facet.key, &value),
            value,
        };
        if open {
            counts.keys().cloned().map(facet_value).collect()
        } else {
            facet
                .values
                .iter()
                .map(|(value, _)| facet_value((*value).to_owned()))
                .collect()
        }
    })
}

fn words_of(facet: &Facet, value: &str) -> String {
    let known = facet.values.iter().find(|(known, _)| *known == value);
    known.map_or_else(|| value.to_owned(), |(_, words)| (*words).to_owned())
}
