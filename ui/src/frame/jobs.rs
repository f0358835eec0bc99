//! Jobs in the top bar: how many go on, and a panel with those and the last that are over.

use super::Overlays;
use crate::{
    api::send,
    clock::use_clock,
    components::{
        badge::{Status, Tone, status_badge},
        button::{Button, ButtonKind},
        icon::lucide,
        toast::Toaster,
    },
    copy::jobs as copy,
    format, lazy_views,
    store::use_store,
};
use flotilla_protocol::{
    api::{CancelJob, Job, JobKind},
    id::JobId,
    job::JobState,
};
use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};
use leptos_router::components::A;
use std::sync::Arc;
use wasm_bindgen::JsCast;

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
    let root = NodeRef::<html::Div>::new();
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !root
            .get_untracked()
            .is_some_and(|root| root.contains(target.as_ref()))
        {
            overlays.jobs.set(false);
        }
    });
    on_cleanup(move || outside.remove());
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" && overlays.jobs.get_untracked() {
            event.stop_propagation();
            overlays.jobs.set(false);
            crate::browser::focus(".jobs > button");
        }
    };
    view! {
        <div class="jobs" node_ref=root on:keydown=keys>
            <button type="button" class="button quiet" aria-label=move || copy::name(running.get()) aria-haspopup="dialog"
                aria-expanded=move || overlays.jobs.get().to_string()
                on:click=move |_| overlays.jobs.update(|open| *open = !*open)>
                <span>{copy::JOBS}</span>
                {move || (running.get() > 0).then(|| view! { <span class="count">{running.get()}</span> })}
            </button>
            {move || overlays.jobs.get().then(|| lazy_views::jobs().view())}
        </div>
    }
}

/// The jobs, those that go on first.
#[component]
pub fn JobsPanel() -> impl IntoView {
    let store = use_store();
    let ids = Memo::new(move |_| store.jobs.with(|jobs| order(jobs.rows().values())));
    let job = move |id: JobId| store.jobs.with(|jobs| jobs.rows().get(&id).cloned());
    view! {
        <div class="popover" role="group" aria-label=copy::JOBS>
            {move || ids.with(Vec::is_empty).then(|| view! { <p class="muted">{copy::NONE}</p> })}
            <ul>
                <For each=move || ids.get() key=|id| *id let(id)>
                    <li>{move || job(id).map(|job| view! { <JobEntry job/> })}</li>
                </For>
            </ul>
        </div>
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

#[component]
fn JobEntry(job: Arc<Job>) -> impl IntoView {
    let toaster: Toaster = expect_context();
    let clock = use_clock();
    let (began, ended, id) = (job.began, job.ended, job.id);
    let elapsed = move || {
        let until = ended.unwrap_or_else(|| clock.second.get());
        format::span(until.as_second() - began.as_second())
    };
    let said = job.problem.as_ref().map_or(&job.step, |problem| &problem.message);
    let cancel = move || {
        spawn_local(async move {
            if let Err(failure) = send(&CancelJob { job: id.to_string() }).await {
                toaster.fail(failure.to_string());
            }
        });
    };
    let cancel = job.cancelable.then(|| {
        let label = copy::cancel(&job.title);
        view! { <span class="cancel" aria-label=label role="group"><Button label=copy::CANCEL kind=ButtonKind::Quiet on_press=cancel/></span> }
    });
    let (path, what) = result(&job);
    view! {
        <p class="title">{job.title.clone()}</p>
        <p class="line">{status_badge(&status(job.state), false, false)}<span class="muted">{elapsed}</span></p>
        <p class="muted">{said.clone()}</p>
        <p class="line">
            <A href=path attr:class="button quiet" attr:aria-label=copy::open(&what)>{copy::OPEN}</A>
            {cancel}
        </p>
    }
}

/// Where the result of a job is seen, and what that is.
fn result(job: &Job) -> (String, String) {
    match (&job.device, job.kind) {
        (Some(device), JobKind::ModeChange | JobKind::Push) => {
            (format!("/devices/{device}"), device.to_string())
        }
        (Some(device), _) => (format!("/devices/{device}/containers"), device.to_string()),
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
