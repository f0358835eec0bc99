//! Jobs over HTTP: list, show, watch, cancel.

use super::{
    caller::{Answer, Asks, forbidden},
    streams::StreamSocket,
};
use crate::{
    jobs::{self, JobNews},
    refusal::Refusal,
};
use axum::{
    Json,
    extract::{Path, RawQuery},
    response::Response,
};
use flotilla_protocol::{
    api::{Job, JobKind, List, Verb, WatchJob},
    id::JobId,
};

pub(super) async fn list(asks: Asks, RawQuery(query): RawQuery) -> Answer<List<Job>> {
    let mut limit = None;
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = value.parse::<u32>().ok().filter(|_| key == "limit");
        limit = Some(number.ok_or_else(|| {
            let message = format!("\"{key}\" is no filter here, or has no number. Use limit=20.");
            Refusal::invalid(key, message)
        })?);
    }
    jobs::list(&asks.core, &asks.scope(), limit).await.map(Json)
}

pub(super) async fn show(asks: Asks, Path(job): Path<String>) -> Answer<Job> {
    jobs::show(&asks.core, &asks.scope(), &job).await.map(Json)
}

pub(super) async fn watch(asks: Asks, Path(job): Path<JobId>, socket: StreamSocket<WatchJob>) -> Response {
    socket.serve(move |open, _silence, out| async move {
        let news = JobNews::new(asks.core.clone(), asks.scope(), job, open);
        out.send_all(news, async |mut news| (news.next().await, news))
            .await
    })
}

/// Who may begin a job may end one like it, on all its devices.
pub(super) async fn cancel(asks: Asks, Path(job): Path<String>) -> Answer<Job> {
    let shown = jobs::show(&asks.core, &asks.scope(), &job).await?;
    let verb = match shown.kind {
        JobKind::Bulk => Verb::Operate,
        JobKind::Placement | JobKind::Recreation | JobKind::Removal => Verb::Deploy,
        JobKind::ModeChange | JobKind::Unknown => Verb::Manage,
        JobKind::Push => Verb::Ssh,
    };
    let scope = asks.caller.scope(verb);
    if !jobs::is_in(&asks.core, &scope, shown.device_ids.iter().copied()) {
        return Err(forbidden((&asks.caller, verb), ""));
    }
    jobs::cancel(&asks.core, &shown).await.map(Json)
}
