//! The filter field: free words and `key:value` terms, with suggestions for the term that is being typed.

use super::TableState;
use crate::{
    browser,
    components::{
        icon::{Icon, lucide},
        ids::fresh_id,
    },
    copy::table as copy,
    query::{Key, Suggestion, suggest},
};
use leptos::{ev::KeyboardEvent, prelude::*};
use std::collections::BTreeSet;

#[component]
pub(super) fn Filter(table: TableState) -> impl IntoView {
    let list = fresh_id("offers");
    let option = list.clone();
    let typing = RwSignal::new(false);
    let at = RwSignal::new(None::<usize>);
    let offers = Memo::new(move |_| {
        if typing.get() {
            table
                .text
                .with(|text| suggest(text, table.spec.keys, |key| values(table, key)))
        } else {
            Vec::new()
        }
    });
    let open = move || offers.with(|offers| !offers.is_empty());
    let take = move |offer: &Suggestion| {
        table.text.set(offer.text.clone());
        at.set(None);
    };
    let input = move |event| {
        browser::begin_measure(MEASURE);
        table.text.set(event_target_value(&event));
        typing.set(true);
        at.set(None);
        browser::end_measure_after_paint(MEASURE);
    };
    let keys = move |event: KeyboardEvent| on_key(table, &event, offers, at, typing);
    let active = {
        let option = option.clone();
        move || at.get().map(|at| format!("{option}-{at}"))
    };
    let expanded = Signal::derive(open);
    view! {
        <div class="filter">
            <Icon glyph=lucide::SEARCH/>
            <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list"
                aria-label=table.spec.filter placeholder=table.spec.filter
                aria-expanded=move || expanded.get().to_string() aria-controls=list.clone() aria-activedescendant=active
                prop:value=move || table.text.get()
                on:input=input on:keydown=keys on:blur=move |_| typing.set(false)/>
            <ul role="listbox" id=list.clone() class="offers" aria-label=copy::SUGGESTIONS hidden=move || !expanded.get()>
                {move || offers.get().into_iter().enumerate().map(|(index, offer)| {
                    let id = format!("{option}-{index}");
                    let label = offer.label.clone();
                    view! {
                        <li role="option" id=id aria-selected=move || (at.get() == Some(index)).to_string()
                            on:pointerdown=move |event| { event.prevent_default(); take(&offer); }>{label}</li>
                    }
                }).collect_view()}
            </ul>
        </div>
    }
}

/// The name of the measure from a key press until the filtered rows are painted.
const MEASURE: &str = "flotilla:filter";

fn on_key(
    table: TableState,
    event: &KeyboardEvent,
    offers: Memo<Vec<Suggestion>>,
    at: RwSignal<Option<usize>>,
    typing: RwSignal<bool>,
) {
    let count = offers.with_untracked(Vec::len);
    let now = at.get_untracked();
    match event.key().as_str() {
        "ArrowDown" if count > 0 => at.set(Some(now.map_or(0, |now| (now + 1) % count))),
        "ArrowUp" if count > 0 => at.set(Some(now.map_or(count - 1, |now| (now + count - 1) % count))),
        "Enter" if now.is_some() => {
            if let Some(offer) = now.and_then(|now| offers.with_untracked(|offers| offers.get(now).cloned()))
            {
                table.text.set(offer.text);
                at.set(None);
            }
        }
        "Escape" if count > 0 => typing.set(false),
        // The focus returns to the row that had it before.
        "Escape" | "ArrowDown" => browser::focus(super::grid::ACTIVE_ROW),
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}

/// The values of a key that rows have.
fn values(table: TableState, key: Key) -> Vec<String> {
    table.order.with_untracked(|order| {
        let mut values = BTreeSet::new();
        for row in order.rows.0.iter() {
            for value in row.subject().values(key) {
                if !values.contains(value) {
                    values.insert(value.to_owned());
                }
            }
        }
        values.into_iter().collect()
    })
}
