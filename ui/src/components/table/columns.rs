//! The dialog that chooses the columns of a table.

use super::{TableState, column::ColumnAt, layout::Layout};
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
    let heads = StoredValue::new(table.spec.heads());
    let columns = move || {
        table
            .layout
            .with(|layout| heads.with_value(|heads| layout.all(heads)))
    };
    let line = move |at: ColumnAt| {
        let head = heads.with_value(|heads| heads[at]);
        let pinned = at == 0;
        let shown = move || {
            table
                .layout
                .with(|layout| heads.with_value(|heads| layout.is_shown(heads, at)))
        };
        let show = move |_| {
            let shown = untrack(shown);
            table.layout.update(|layout| layout.show(head, !shown));
        };
        let too_narrow = move || {
            let left_out = table.fitted.with(|fitted| fitted.left_out.contains(&at));
            left_out.then(|| view! { <span class="caption muted">{copy::TOO_NARROW}</span> })
        };
        let shift = move |down| {
            move || {
                table
                    .layout
                    .update(|layout| heads.with_value(|heads| layout.shift(heads, at, down)))
            }
        };
        view! {
            <li class="column-line">
                <label>
                    <input type="checkbox" prop:checked=shown disabled=pinned on:change=show/>
                    <span>{head.title}</span>
                </label>
                {too_narrow}
                {(!pinned).then(|| view! {
                    <IconButton name=copy::move_up(head.title) glyph=lucide::ARROW_UP on_press=shift(false)/>
                    <IconButton name=copy::move_down(head.title) glyph=lucide::ARROW_DOWN on_press=shift(true)/>
                })}
            </li>
        }
    };
    view! {
        <Dialog title=copy::COLUMNS on_close>
            <div class="dialog-body">
                <p class="muted">{copy::COLUMNS_HINT}</p>
                <ul class="column-lines">
                    <For each=columns key=|at| *at let:at>{line(at)}</For>
                </ul>
            </div>
            <footer class="dialog-foot">
                <Button label=copy::RESET_COLUMNS kind=ButtonKind::Quiet on_press=move || table.layout.set(Layout::default())/>
                <Button label=copy::DONE kind=ButtonKind::Primary on_press=move || on_close.run(())/>
            </footer>
        </Dialog>
    }
}
