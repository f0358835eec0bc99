//! The dialog that confirms a stop, or an action on several containers. It lists them.

use super::actions::{ActionBatch, ContainerActions};
use crate::{
    components::{
        button::{Button, ButtonKind},
        dialog::Dialog,
    },
    copy::containers as copy,
};
use leptos::prelude::*;

/// At most this many containers are listed by name.
const LISTED: usize = 12;

#[component]
pub fn ConfirmStop() -> impl IntoView {
    let container_actions: ContainerActions = expect_context();
    move || {
        container_actions
            .to_confirm
            .get()
            .map(|batch| view! { <BatchDialog container_actions batch/> })
    }
}

#[component]
fn BatchDialog(container_actions: ContainerActions, batch: ActionBatch) -> impl IntoView {
    let (action, count) = (batch.action, batch.rows.len());
    let object = match batch.rows.as_slice() {
        [only] => only.item.name.clone(),
        rows => copy::containers(rows.len()),
    };
    let line = |row: &std::sync::Arc<
        flotilla_protocol::api::Row<flotilla_protocol::inventory::Container>,
    >| {
        view! { <li><span class="name">{row.item.name.clone()}</span>" "<span class="muted">{copy::on(row.device.as_str())}</span></li> }
    };
    let listed = batch.rows.iter().take(LISTED).map(line).collect_view();
    let more = (count > LISTED).then(|| view! { <li class="muted">{copy::and_more(count - LISTED)}</li> });
    let skipped = (batch.skipped > 0).then(|| copy::skipped(batch.skipped, batch.chosen));
    let kept = (!batch.kept.is_empty()).then(|| copy::kept(&batch.kept));
    let close = move || container_actions.to_confirm.set(None);
    let go = move || container_actions.run(batch.clone());
    view! {
        <Dialog title=copy::question(action, &object) on_close=close>
            <div class="dialog-body">
                <p>{copy::consequence(action)}</p>
                <ul class="objects">{listed}{more}</ul>
                {[skipped, kept].into_iter().flatten().map(|words| view! { <p class="muted">{words}</p> }).collect_view()}
            </div>
            <footer class="dialog-foot">
                <Button label=copy::CANCEL on_press=close/>
                <Button label=copy::verb_object(action, &object) kind=ButtonKind::Primary on_press=go
                    reason=(count == 0).then(|| copy::NONE_REACHABLE.to_owned())/>
            </footer>
        </Dialog>
    }
}
