//! Routes of jobs: start, list, progress and end.

use super::{
    Api,
    refusal::{Refusal, unreadable},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    response::Response,
};
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{
    id::JobId,
    job::{EndJob, JobProgress, JobReport, JobRequest},
};

/// Answers at once, with the job as it begins.
pub(super) async fn start(
    State(api): State<Api>,
    Path(id): Path<JobId>,
    body: Result<Json<JobRequest>, JsonRejection>,
) -> Result<Json<JobReport>, Refusal> {
    let Json(request) = body.map_err(unreadable)?;
    tracing::info!(job.id = %id, ?request, "a job, as control asked");
    api.jobs.start(id, request).map(Json).map_err(Refusal)
}

pub(super) async fn list(State(api): State<Api>) -> Json<Vec<JobReport>> {
    Json(api.jobs.list())
}

/// Tells how a job goes, until it is over.
pub(super) async fn progress(
    State(api): State<Api>,
    Path(id): Path<JobId>,
    Opened { open, .. }: Opened<JobProgress>,
) -> Result<Response, Refusal> {
    let news = api.jobs.news(id, open.from).map_err(Refusal)?;
    Ok(answer::<JobProgress, _>(api.closing, |out| {
        out.send_all(news, async |mut news| (news.next().await, news))
    }))
}

pub(super) async fn end(
    State(api): State<Api>,
    Path(id): Path<JobId>,
    Query(end): Query<EndJob>,
) -> Result<Json<JobReport>, Refusal> {
    api.jobs.end(id, end).map(Json).map_err(Refusal)
}
