//! Jobs over HTTP: list, show, watch, cancel.

use super::{
    caller::{Asks, forbidden},
    streams::StreamSocket,
};
use crate::{
    core::Core,
    jobs::{self, JobNews},
    refusal::Refusal,
};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::Response,
};
use flotilla_protocol::{
    Code,
    api::{Job, JobKind, List, Verb, WatchJob},
    id::JobId,
    stream::Event,
};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn list(
    State(core): Shared,
    asks: Asks,
    RawQuery(query): RawQuery,
) -> Result<Json<List<Job>>, Refusal> {
    let mut limit = None;
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = value.parse::<u32>().ok().filter(|_| key == "limit");
        limit = Some(number.ok_or_else(|| {
            let message = format!("\"{key}\" is no filter here, or has no number. Use limit=20.");
            Refusal(Code::InvalidInput.because(message)).with_field(key)
        })?);
    }
    jobs::list(&core, &asks.scope(), limit).await.map(Json)
}

pub(super) async fn show(
    State(core): Shared,
    asks: Asks,
    Path(job): Path<String>,
) -> Result<Json<Job>, Refusal> {
    jobs::show(&core, &asks.scope(), &job).await.map(Json)
}

pub(super) async fn watch(
    State(core): Shared,
    asks: Asks,
    Path(job): Path<JobId>,
    socket: StreamSocket<WatchJob>,
) -> Response {
    socket.serve(move |open, _silence, mut out| async move {
        let mut news = JobNews::new(core, asks.scope(), job, open);
        loop {
            match news.next().await {
                Event::Item(job) => {
                    if let Err(malformed) = out.send(&job).await {
                        return malformed.into();
                    }
                }
                Event::End(end) => return end,
            }
        }
    })
}

/// Who may begin a job may end one like it, on all its devices.
pub(super) async fn cancel(
    State(core): Shared,
    asks: Asks,
    Path(job): Path<String>,
) -> Result<Json<Job>, Refusal> {
    let shown = jobs::show(&core, &asks.scope(), &job).await?;
    let verb = match shown.kind {
        JobKind::Bulk => Verb::Operate,
        JobKind::Placement => Verb::Deploy,
        JobKind::ModeChange | JobKind::Unknown => Verb::Manage,
        JobKind::Push => Verb::Ssh,
    };
    if !jobs::is_in(&core, &asks.caller.scope(verb), shown.device_ids.iter().copied()) {
        return Err(forbidden((&asks.caller, verb), ""));
    }
    jobs::cancel(&core, &shown).await.map(Json)
}
