//! The dialog that chooses the columns of a table.

use super::{Layout, TableState};
use crate::{
    components::{
        button::{Button, ButtonKind, IconButton},
        dialog::Dialog,
        icon::lucide,
    },
    copy::table as copy,
};
use leptos::prelude::*;

#[component]
pub(super) fn ColumnsDialog(table: TableState, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let spec = table.spec;
    let columns = move || {
        table.layout.with(|layout| {
            layout
                .all(spec)
                .iter()
                .map(|column| column.id)
                .collect::<Vec<_>>()
        })
    };
    let line = move |id: &'static str| {
        let column = spec.lookup(id)?;
        let pinned = spec.columns.first().is_some_and(|first| first.id == id);
        let shown = move || table.layout.with(|layout| layout.is_shown(spec, column));
        let show = move |_| {
            table
                .layout
                .update(|layout| layout.show(id, !layout.is_shown(spec, column)))
        };
        let too_narrow = move || {
            let left_out = table.fitted.with(|fitted| fitted.left_out.contains(&id));
            left_out.then(|| view! { <span class="caption muted">{copy::TOO_NARROW}</span> })
        };
        let shift = move |down| move || table.layout.update(|layout| layout.shift(spec, id, down));
        Some(view! {
            <li class="column-line">
                <label>
                    <input type="checkbox" prop:checked=shown disabled=pinned on:change=show/>
                    <span>{column.title}</span>
                </label>
                {too_narrow}
                {(!pinned).then(|| view! {
                    <IconButton name=copy::move_up(column.title) glyph=lucide::ARROW_UP on_press=shift(false)/>
                    <IconButton name=copy::move_down(column.title) glyph=lucide::ARROW_DOWN on_press=shift(true)/>
                })}
            </li>
        })
    };
    view! {
        <Dialog title=copy::COLUMNS on_close>
            <div class="dialog-body">
                <p class="muted">{copy::COLUMNS_HINT}</p>
                <ul class="column-lines">
                    <For each=columns key=|id| *id let:id>{line(id)}</For>
                </ul>
            </div>
            <footer class="dialog-foot">
                <Button label=copy::RESET_COLUMNS kind=ButtonKind::Quiet on_press=move || table.layout.set(Layout::default())/>
                <Button label=copy::DONE kind=ButtonKind::Primary on_press=move || on_close.run(())/>
            </footer>
        </Dialog>
    }
}
