//! The filter field: free words and `key:value` terms, with suggestions for the term that is being typed.

use super::TableState;
use crate::{
    browser,
    components::{
        icon::{Icon, lucide},
        listbox::{Listbox, ListboxState},
    },
    copy::table as copy,
    query::{Key, Suggestion, suggest},
};
use leptos::{ev::KeyboardEvent, prelude::*};
use std::collections::BTreeSet;

#[component]
pub(super) fn Filter(table: TableState) -> impl IntoView {
    let typing = RwSignal::new(false);
    let offers = Memo::new(move |_| {
        if typing.get() {
            table
                .text
                .with(|text| suggest(text, &table.spec.keys(), |key| values(table, key)))
        } else {
            Vec::new()
        }
    });
    let take = Callback::new(move |(offer,): (Suggestion,)| table.text.set(offer.text));
    // The values of a key are suggested as soon as the key is chosen.
    let list = ListboxState::new(offers.into(), |offer: &Suggestion| offer.text.clone(), take).staying_open();
    let close = move || {
        list.close();
        typing.set(false);
    };
    let input = move |event| {
        browser::begin_measure(MEASURE);
        table.text.set(event_target_value(&event));
        typing.set(true);
        list.open();
        browser::end_measure_after_paint(MEASURE);
    };
    let keys = move |event: KeyboardEvent| {
        // From a closed list, the focus returns to the row that had it before.
        let leaves = matches!(event.key().as_str(), "Escape" | "ArrowDown") && !untrack(|| list.is_shown());
        if leaves {
            table.focus(super::state::ACTIVE_ROW);
            event.prevent_default();
            event.stop_propagation();
        } else {
            list.on_key(&event);
        }
    };
    view! {
        <div class="filter">
            <Icon glyph=lucide::SEARCH/>
            <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list"
                aria-label=table.spec.about.filter placeholder=table.spec.about.filter
                aria-expanded=move || list.is_shown().to_string() aria-controls=list.id()
                aria-activedescendant=move || list.active_id()
                prop:value=move || table.text.get()
                on:input=input on:keydown=keys on:blur=move |_| close()/>
            <Listbox state=list label=copy::SUGGESTIONS option=|offer: &Suggestion| offer.label.clone().into_any()/>
        </div>
    }
}

/// The name of the measure from a key press until the filtered rows are painted.
const MEASURE: &str = "flotilla:filter";

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
