//! The stages of a device that enrolls, and help if it does not reach the controller.

use super::{
    flow::use_flow,
    progress::{failure_text, headline, stage_lines},
};
use crate::{
    clock::use_clock,
    components::{
        badge::Tone,
        clipboard_block::ClipboardBlock,
        error_state::Notice,
        icon::{Icon, lucide},
    },
    copy::add_device as copy,
    format,
    pages::addresses::{AddressList, SelfTest},
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Enrollment};
use leptos::prelude::*;

/// Seconds without contact after which help is shown.
const PATIENCE: i64 = 120;

/// Seconds of waiting from which the elapsed time is shown.
const ELAPSED_FROM: i64 = 3;

#[component]
pub(super) fn Stages(enrollment: Signal<Option<Enrollment>>) -> impl IntoView {
    let flow = use_flow();
    let clock = use_clock();
    let test = flow.self_test;
    let waited = Memo::new(move |_| {
        let created = enrollment.with(|enrollment| enrollment.as_ref().map(|enrollment| enrollment.created));
        created.map_or(0, |created| clock.second.get().as_second() - created.as_second())
    });
    let is_silent = Memo::new(move |_| {
        enrollment.with(|enrollment| {
            enrollment
                .as_ref()
                .is_none_or(|enrollment| enrollment.stages.is_empty())
        })
    });
    let needs_help = Memo::new(move |_| is_silent.get() && waited.get() >= PATIENCE);
    let sentence = move || {
        flow.name
            .with(|name| enrollment.with(|enrollment| headline(enrollment.as_ref(), name)))
    };
    let refused =
        move || enrollment.with(|enrollment| enrollment.as_ref()?.failure.as_ref().map(failure_text));
    let list = move || {
        flow.name
            .with(|name| enrollment.with(|enrollment| stage_lines(enrollment.as_ref(), name)))
    };
    view! {
        <section class="stages" aria-label="Progress">
            <div class="stages-head">
                <div class="now" role="status" aria-label=copy::STATUS><span class="pulse" aria-hidden="true"></span>{sentence}</div>
                <span class="age num">{move || (waited.get() >= ELAPSED_FROM).then(|| format::countdown(waited.get()))}</span>
                <SelfTested test/>
            </div>
            <ol class="stage-list">{move || list().into_iter().map(|line| stage(line.text, line.at)).collect_view()}</ol>
            {move || refused().map(|text| view! { <Notice tone=Tone::Bad text/> })}
            {move || needs_help.get().then(|| view! { <NoContact test/> })}
        </section>
    }
}

fn stage(text: String, at: Option<Timestamp>) -> impl IntoView {
    let glyph = if at.is_some() {
        lucide::CHECK
    } else {
        lucide::CIRCLE_DASHED
    };
    view! {
        <li class:done=at.is_some()>
            <Icon glyph/>
            <span>{text}</span>
            {at.map(|at| view! { <time class="age" datetime=at.to_string()>{format::clock_time(at, at)}</time> })}
        </li>
    }
}

#[component]
fn SelfTested(test: SelfTest) -> impl IntoView {
    let shown = move || match test.is_any_reachable() {
        None => ("self-test", lucide::CIRCLE_DASHED, copy::TESTING),
        Some(true) => ("self-test ok", lucide::CIRCLE_CHECK, copy::REACHABLE),
        Some(false) => ("self-test bad", lucide::CIRCLE_ALERT, copy::UNREACHABLE),
    };
    view! {
        <span class=move || shown().0>{move || view! { <Icon glyph=shown().1/> }}{move || shown().2}</span>
    }
}

#[component]
fn NoContact(test: SelfTest) -> impl IntoView {
    let store = use_store();
    let address = Signal::derive(move || {
        store.fleet.with(|fleet| {
            fleet
                .as_ref()
                .and_then(|fleet| fleet.endpoints.first())
                .map(|first| format!("https://{first}/"))
        })
    });
    let check = Signal::derive(move || {
        address
            .get()
            .map(|address| format!("curl -sSko /dev/null {address} && echo reached"))
            .unwrap_or_default()
    });
    let text = Signal::derive(move || copy::no_contact(&address.get().unwrap_or_default()));
    view! {
        <Notice tone=Tone::Warn title=copy::NO_CONTACT text/>
        <ClipboardBlock what="check command" text=check/>
        <AddressList test/>
    }
}
