//! The line above the rows: filter, Device choice, facets, unreachable devices, count, columns.

use super::{TableState, columns::ColumnsDialog, facet::FacetButton, filter::Filter, state::FilteredRows};
use crate::{
    components::{
        button::{Button, ButtonKind},
        icon::lucide,
    },
    copy::table as copy,
};
use leptos::prelude::*;

#[component]
pub(super) fn Toolbar(table: TableState, scope: Option<AnyView>, notice: Option<AnyView>) -> impl IntoView {
    let choosing = RwSignal::new(false);
    let facet = |facet| view! { <FacetButton table facet/> };
    let count = move || copy::result(table.shown.with(FilteredRows::len), table.total());
    view! {
        <div class="toolbar">
            <Filter table/>
            <div class="facets">
                {scope}
                {table.spec.facets().into_iter().map(facet).collect_view()}
            </div>
            <div class="slot">{notice}</div>
            <span class="result">{count}</span>
            <Button label=copy::COLUMNS kind=ButtonKind::Quiet glyph=lucide::COLUMNS_3 on_press=move || choosing.set(true)/>
        </div>
        {move || choosing.get().then(|| view! { <ColumnsDialog table on_close=move || choosing.set(false)/> })}
    }
}
