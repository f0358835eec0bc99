//! The line below the rows: their count and order, or the actions for selected rows.

use super::{
    TableState,
    state::{ACTIVE_ROW, FilteredRows},
};
use crate::{
    components::button::{Button, ButtonKind},
    copy::table as copy,
};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

/// A count is read out after it did not change for this long.
const READ_AFTER_MS: u32 = 500;

#[component]
pub(super) fn Footer(table: TableState, bulk: Option<ViewFn>) -> impl IntoView {
    let selected = Memo::new(move |_| table.picked.with(|picked| picked.len()));
    // The buttons stay while the number of selected rows changes.
    let any = Memo::new(move |_| selected.get() > 0);
    let result = move || {
        let about = table.spec.about;
        copy::result_of(
            table.shown.with(FilteredRows::len),
            table.total(),
            about.one,
            about.many,
        )
    };
    let sort = move || {
        if table.sort.with(Vec::is_empty) {
            return table.spec.about.sort_words.to_owned();
        }
        let sort = table.sort_in_use();
        let titles = sort
            .iter()
            .filter_map(|by| table.spec.head(by.column))
            .map(|head| head.title);
        copy::sorted_by(&titles.collect::<Vec<_>>())
    };
    let held = Memo::new(move |_| table.order.with(|order| order.held));
    // The button goes with the selection, so the focus goes to a row first.
    let clear = move || {
        table.focus(ACTIVE_ROW);
        table.selection.update(super::selection::Selection::clear);
    };
    let picked = bulk.clone();
    view! {
        <div class="table-foot">
            {move || if any.get() && picked.is_some() {
                let bulk = bulk.clone().map(|bulk| bulk.run());
                view! {
                    <div class="bulk" role="group" aria-label=move || copy::selected(selected.get())>
                        <span class="selected">{move || copy::selected(selected.get())}</span>
                        {bulk}
                        <span class="grow"></span>
                        <Button label=copy::CLEAR kind=ButtonKind::Quiet on_press=clear/>
                    </div>
                }.into_any()
            } else {
                view! {
                    <span>{result}</span>
                    <span>{sort}</span>
                    <span class="held">{move || held.get().then_some(copy::ORDER_PAUSED)}</span>
                }.into_any()
            }}
            <Announced text=Signal::derive(result)/>
        </div>
    }
}

/// Lets screen readers read a text out once it does not change.
#[component]
fn Announced(text: Signal<String>) -> impl IntoView {
    let spoken = RwSignal::new(String::new());
    let timer = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |_| {
        let text = text.get();
        timer.set_value(Some(Timeout::new(READ_AFTER_MS, move || spoken.set(text))));
    });
    view! { <span role="status" class="visually-hidden">{move || spoken.get()}</span> }
}
