//! Jobs in the top bar: how many go on, and a panel with those and the last that are over.

use super::Overlays;
use crate::{
    actions::use_acting,
    clock::use_clock,
    components::{
        badge::{Status, Tone, status_badge},
        button::{Button, ButtonKind},
        icon::{Icon, lucide},
        popover::Popover,
    },
    copy::jobs as copy,
    format, lazy_views,
    store::{use_store, with_row},
};
use flotilla_protocol::{
    api::{Job, JobKind},
    id::JobId,
    job::JobState,
};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

/// Jobs that are over and shown.
const SHOWN: usize = 20;

#[component]
pub fn JobsButton() -> impl IntoView {
    let store = use_store();
    let overlays: Overlays = expect_context();
    store.ensure_jobs();
    let running = Memo::new(move |_| {
        store.jobs.with(|jobs| {
            let live = jobs.rows().values().filter(|job| !job.state.is_over());
            live.count()
        })
    });
    let spoken = Signal::derive(move || Some(copy::name(running.get())));
    let count = move || (running.get() > 0).then(|| view! { <span class="count">{running.get()}</span> });
    // In a narrow window the icon is there in place of the word.
    let mark = move || view! { <Icon glyph=lucide::LIST_CHECKS/>{count} };
    view! {
        <Popover label=copy::JOBS name=copy::JOBS class="jobs" kind=ButtonKind::Quiet spoken mark open=overlays.jobs
            panel=|| lazy_views::jobs().view()/>
    }
}

/// The jobs, those that go on first.
#[component]
pub fn JobsPanel() -> impl IntoView {
    let store = use_store();
    let ids = Memo::new(move |_| store.jobs.with(|jobs| order(jobs.rows().values())));
    let entry = move |id: JobId| with_row(store.jobs, id, |job| view! { <li><JobEntry job/></li> });
    view! {
        {move || ids.with(Vec::is_empty).then(|| view! { <p class="muted">{copy::NONE}</p> })}
        <ul>
            <For each=move || ids.get() key=|id| *id children=entry/>
        </ul>
    }
}

fn order<'a>(jobs: impl Iterator<Item = &'a Arc<Job>> + Clone) -> Vec<JobId> {
    let mut live: Vec<_> = jobs.clone().filter(|job| !job.state.is_over()).collect();
    let mut over: Vec<_> = jobs.filter(|job| job.state.is_over()).collect();
    live.sort_by_key(|job| std::cmp::Reverse(job.began));
    over.sort_by_key(|job| std::cmp::Reverse(job.ended));
    over.truncate(SHOWN);
    live.into_iter().chain(over).map(|job| job.id).collect()
}

/// A job. Its buttons stay the same elements while it goes on.
#[component]
fn JobEntry(job: Signal<Arc<Job>>) -> impl IntoView {
    let acting = use_acting();
    let clock = use_clock();
    let first = job.get_untracked();
    let (began, id) = (first.began, first.id);
    let ended = Memo::new(move |_| job.with(|job| job.ended));
    let elapsed = move || {
        let until = ended.get().unwrap_or_else(|| clock.second.get());
        format::span(until.as_second() - began.as_second())
    };
    let said = move || {
        job.with(|job| {
            job.problem
                .as_ref()
                .map_or(&job.step, |problem| &problem.message)
                .clone()
        })
    };
    let state = Memo::new(move |_| job.with(|job| job.state));
    let cancel = move || acting.cancel(id);
    let title = first.title.clone();
    let cancelable = Memo::new(move |_| job.with(|job| job.cancelable));
    let cancel = move || {
        cancelable.get().then(|| {
            let label = copy::cancel(&title);
            view! { <span class="cancel" aria-label=label role="group"><Button label=copy::CANCEL kind=ButtonKind::Quiet on_press=cancel/></span> }
        })
    };
    let (path, what) = result(&first);
    view! {
        <p class="title">{first.title.clone()}</p>
        <p class="line">{move || status_badge(&status(state.get()), false, false)}<span class="muted">{elapsed}</span></p>
        <p class="muted">{said}</p>
        <p class="line">
            <A href=path attr:class="button quiet" attr:aria-label=copy::open(&what)>{copy::OPEN}</A>
            {cancel}
        </p>
    }
}

/// Where the result of a job is seen, and what that is.
fn result(job: &Job) -> (String, String) {
    let device = job.device.as_ref().map(ToString::to_string);
    match (job.device_id.zip(device), job.kind) {
        (Some((id, device)), JobKind::ModeChange | JobKind::Push) => (format!("/devices/{id}"), device),
        (Some((id, device)), _) => (format!("/devices/{id}/containers"), device),
        (None, _) => (
            "/containers".to_owned(),
            crate::copy::frame::CONTAINERS.to_lowercase(),
        ),
    }
}

fn status(state: JobState) -> Status {
    let (tone, glyph) = match state {
        JobState::Waiting => (Tone::Info, lucide::HOURGLASS),
        JobState::Running | JobState::Canceling => (Tone::Info, lucide::LOADER_CIRCLE),
        JobState::Done => (Tone::Ok, lucide::CIRCLE_CHECK),
        JobState::Failed => (Tone::Bad, lucide::CIRCLE_X),
        JobState::Undone | JobState::Canceled | JobState::Unknown => (Tone::Off, lucide::BAN),
    };
    Status {
        tone,
        glyph,
        word: copy::state(state).to_owned(),
    }
}
