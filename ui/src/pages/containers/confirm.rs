//! The question before containers are interrupted, or before something happens to several: it lists them.

use super::act::{Acts, Question};
use crate::{
    components::{
        button::{Button, Kind},
        dialog::Dialog,
    },
    copy::containers as copy,
};
use leptos::prelude::*;

/// More than this many are not read one by one.
const LISTED: usize = 12;

#[component]
pub fn ConfirmStop() -> impl IntoView {
    let acts: Acts = expect_context();
    move || {
        acts.question
            .get()
            .map(|question| view! { <Asked acts question/> })
    }
}

#[component]
fn Asked(acts: Acts, question: Question) -> impl IntoView {
    let (action, count) = (question.action, question.rows.len());
    let object = match question.rows.as_slice() {
        [only] => only.item.name.clone(),
        rows => copy::containers(rows.len()),
    };
    let line = |row: &std::sync::Arc<
        flotilla_protocol::api::Row<flotilla_protocol::inventory::Container>,
    >| {
        view! { <li><span class="name">{row.item.name.clone()}</span>" "<span class="muted">{copy::on(row.device.as_str())}</span></li> }
    };
    let listed = question.rows.iter().take(LISTED).map(line).collect_view();
    let more = (count > LISTED).then(|| view! { <li class="muted">{copy::and_more(count - LISTED)}</li> });
    let skipped = (question.skipped > 0).then(|| copy::skipped(question.skipped, question.chosen));
    let kept = (!question.kept.is_empty()).then(|| copy::kept(&question.kept));
    let close = move || acts.question.set(None);
    let go = move || acts.run(question.clone());
    view! {
        <Dialog title=copy::question(action, &object) on_close=close>
            <div class="dialog-body">
                <p>{copy::consequence(action)}</p>
                <ul class="objects">{listed}{more}</ul>
                {[skipped, kept].into_iter().flatten().map(|words| view! { <p class="muted">{words}</p> }).collect_view()}
            </div>
            <footer class="dialog-foot">
                <Button label=copy::CANCEL on_press=close/>
                <Button label=copy::verb_object(action, &object) kind=Kind::Primary on_press=go
                    reason=(count == 0).then(|| copy::NOBODY_TO_ASK.to_owned())/>
            </footer>
        </Dialog>
    }
}
