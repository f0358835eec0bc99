//! Facets: filters by a list of values with their counts, each of which is included, excluded or neither.

use super::{TableState, column::Facet};
use crate::{components::popover::Popover, copy::table as copy, format::count};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// What is said beside a value: how many rows have it, and whether it is included (`true`), excluded (`false`) or
/// neither.
type Said = (usize, Option<bool>);

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
        let said = Memo::new(move |_| said_of(table, facet));
        // The lines are as many as there are values, whatever is counted: a line that is made again loses the focus.
        let values = Memo::new(move |_| said.with(|said| listed(facet, said)));
        view! {
            <ul class="facet-values">
                <For each=move || values.get() key=Clone::clone let:value>
                    <FacetValueLine table facet value said/>
                </For>
            </ul>
        }
    };
    view! { <Popover label=Signal::derive(label) name=facet.title class="facet" panel/> }
}

#[component]
fn FacetValueLine(
    table: TableState,
    facet: &'static Facet,
    value: String,
    said: Memo<BTreeMap<String, Said>>,
) -> impl IntoView {
    let words = words_of(facet, &value);
    let exclude = copy::exclude(&words);
    let value = StoredValue::new(value);
    let own = Memo::new(move |_| {
        said.with(|said| value.with_value(|value| said.get(value).copied().unwrap_or_default()))
    });
    let included = move || own.get().1 == Some(true);
    let excluded = move || own.get().1 == Some(false);
    let choose = move |choice: Option<bool>| value.with_value(|value| table.choose(facet.key, value, choice));
    view! {
        <li class:ruled-out=excluded>
            <label>
                <input type="checkbox" prop:checked=included
                    on:change=move |_| choose((!untrack(included)).then_some(true))/>
                <span class="words">{words}</span>
                <span class="count">{move || count(own.get().0)}</span>
            </label>
            <button type="button" class="not" aria-label=exclude.clone() title=exclude
                aria-pressed=move || excluded().to_string()
                on:click=move |_| choose((!untrack(excluded)).then_some(false))>
                "not"
            </button>
        </li>
    }
}

/// What is said of each value. A count is of the rows that pass the other terms of the filter.
fn said_of(table: TableState, facet: &'static Facet) -> BTreeMap<String, Said> {
    let listed = facet.values.iter();
    let mut said: BTreeMap<String, Said> = listed
        .map(|(value, _)| ((*value).to_owned(), Said::default()))
        .collect();
    let open = facet.values.is_empty();
    table.query.with(|query| {
        table.order.with(|order| {
            for row in order.rows.0.iter() {
                let subject = row.subject();
                let counted = usize::from(query.matches_except(subject, Some(facet.key)));
                for value in subject.values(facet.key) {
                    if let Some((count, _)) = said.get_mut(value) {
                        *count += counted;
                    } else if open {
                        said.insert(value.to_owned(), (counted, None));
                    }
                }
            }
        });
        for (value, (_, choice)) in &mut said {
            *choice = query.choice(facet.key, value);
        }
    });
    said
}

/// The values in the order in which they are listed.
fn listed(facet: &Facet, said: &BTreeMap<String, Said>) -> Vec<String> {
    if facet.values.is_empty() {
        said.keys().cloned().collect()
    } else {
        facet
            .values
            .iter()
            .map(|(value, _)| (*value).to_owned())
            .collect()
    }
}

fn words_of(facet: &Facet, value: &str) -> String {
    let known = facet.values.iter().find(|(known, _)| *known == value);
    known.map_or_else(|| value.to_owned(), |(_, words)| (*words).to_owned())
}
