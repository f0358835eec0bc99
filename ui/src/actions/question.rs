//! The question or the dialog that is open for an action. The frame mounts it once for all pages.

use super::{
    Acting,
    acting::{Opened, Question, use_acting},
    action::Asking,
};
use crate::{
    components::{
        button::{Button, ButtonKind},
        confirm::{ConfirmDanger, stakes_view},
        dialog::Dialog,
        waiting::Waiting,
    },
    copy::actions as copy,
};
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub fn Questions() -> impl IntoView {
    let acting = use_acting();
    let close = Callback::new(move |()| acting.close());
    move || {
        Some(match acting.opened.get()? {
            Opened::Dialog(dialog) => dialog(close),
            Opened::Question(question) if question.asking == Asking::Plainly => plain(question, close),
            Opened::Question(question) => danger(acting, question, close),
        })
    }
}

fn plain(question: Arc<Question>, close: Callback<()>) -> AnyView {
    let asked = question.asked.clone();
    let body = objects(&question);
    view! {
        <Dialog title=asked.title on_close=close>
            <div class="dialog-body">{stakes_view(asked.stakes)}{body}</div>
            <footer class="dialog-foot">
                <Button label=asked.keep on_press=close/>
                <Button label=asked.confirm kind=ButtonKind::Primary on_press=move || (question.confirm)()/>
            </footer>
        </Dialog>
    }
    .into_any()
}

fn danger(acting: Acting, question: Arc<Question>, close: Callback<()>) -> AnyView {
    let asked = question.asked.clone();
    let typed = (question.asking == Asking::AsDangerTyped).then_some(asked.typed);
    let busy = Signal::derive(move || acting.waits.with(Option::is_some));
    let (doing, body) = (question.doing, objects(&question));
    let confirm = move || (question.confirm)();
    view! {
        <ConfirmDanger title=asked.title stakes=asked.stakes action=asked.confirm keep=asked.keep typed busy doing
            error=acting.failure on_confirm=confirm on_keep=close>
            {body}
            {move || acting.waits.get().map(|doing| waiting(acting, doing))}
        </ConfirmDanger>
    }
    .into_any()
}

/// The objects by name if there are several, and which are left out.
fn objects(question: &Question) -> AnyView {
    let count = question.objects.len();
    let line = |(name, detail): &(String, String)| {
        view! { <li><span class="name">{name.clone()}</span>" "<span class="muted">{detail.clone()}</span></li> }
    };
    let listed = (count > 1).then(|| {
        let lines = question
            .objects
            .iter()
            .take(copy::LISTED)
            .map(line)
            .collect_view();
        let more = count.saturating_sub(copy::LISTED);
        let more = (more > 0).then(|| view! { <li class="muted">{copy::and_more(more)}</li> });
        view! { <ul class="objects">{lines}{more}</ul> }
    });
    let skipped = question
        .skipped
        .iter()
        .map(|words| view! { <p class="muted">{words.clone()}</p> });
    let skipped = skipped.collect_view();
    view! { {listed}{skipped} }.into_any()
}

/// A line about an action that goes on; one that is a job can be canceled.
pub(super) fn waiting(acting: Acting, doing: super::Doing) -> AnyView {
    let cancel = doing.job.map(|job| Callback::new(move |()| acting.cancel(job)));
    view! { <Waiting sentence=doing.sentence since=doing.since cancel/> }.into_any()
}
