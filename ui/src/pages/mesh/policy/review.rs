//! The review of a draft: what saving it would open, close and cut.

use super::draft::PolicyDraft;
use crate::{
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        dialog::{Dialog, Size},
        error_state::{ErrorState, Notice},
        loaded::Loaded,
    },
    copy::{mesh, policy as copy},
    store::{Known, ask, load_of},
};
use flotilla_protocol::api::{PolicyReview, Reach, ReviewPolicy};
use leptos::prelude::*;

#[component]
pub(super) fn Review(draft: PolicyDraft, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let answer = RwSignal::new(Known::<PolicyReview>::default());
    let review = move || {
        let policy = draft.policy.get_untracked();
        ask(answer, ReviewPolicy { policy });
    };
    review();
    let body = move || answer.with(|answer| answer.value().cloned().map(reviewed));
    view! {
        <Dialog title=copy::REVIEW_TITLE.to_owned() size=Size::Wide on_close>
            <div class="dialog-body">
                <Loaded load=load_of(answer) bones=3 sentence=mesh::LOADING on_retry=review>{body}</Loaded>
                {move || draft.refused.get().map(|message| view! { <ErrorState message/> })}
            </div>
            <footer class="dialog-foot">
                <Button label=copy::CLOSE on_press=move || on_close.run(())/>
                <Button label=copy::SAVE kind=ButtonKind::Primary busy=draft.busy reason=Signal::derive(move || draft.conflict()) on_press=move || draft.save(on_close)/>
            </footer>
        </Dialog>
    }
}

fn reviewed(review: PolicyReview) -> AnyView {
    let impact = copy::impact(review.opens_total, review.closes_total, review.cuts.len());
    let nothing = review.opens_total + review.closes_total == 0;
    let failing = (!review.failing.is_empty()).then(|| {
        let messages: Vec<_> = review
            .failing
            .iter()
            .map(|failed| failed.message.clone())
            .collect();
        view! { <Notice tone=Tone::Bad title=copy::FAILING text=messages.join("; ")/> }
    });
    let warning = |text: String| view! { <Notice tone=Tone::Warn text/> };
    view! {
        <p><strong>{if nothing { copy::NOTHING.to_owned() } else { impact }}</strong></p>
        {failing}
        {listed(copy::CUTS, &review.cuts, review.cuts.len() as u64)}
        {listed(copy::OPENS, &review.opens, review.opens_total)}
        {listed(copy::CLOSES, &review.closes, review.closes_total)}
        {review.warnings.into_iter().map(warning).collect_view()}
    }
    .into_any()
}

/// At most this many lines are listed; the total is above them.
const SHOWN: usize = 50;

fn listed(title: &'static str, reaches: &[Reach], total: u64) -> Option<AnyView> {
    let line = |reach: &Reach| view! { <li>{copy::reach(reach)}</li> };
    let shown = reaches.len().min(SHOWN);
    let more = total - shown as u64;
    (!reaches.is_empty()).then(|| {
        view! {
            <section class="reaches">
                <h3>{title}</h3>
                <ul>{reaches[..shown].iter().map(line).collect_view()}</ul>
                {(more > 0).then(|| view! { <p class="caption muted">{copy::more(more)}</p> })}
            </section>
        }
        .into_any()
    })
}
