//! Routes of jobs: start, list, follow and end.

use super::{
    Api,
    refusal::{Refusal, unreadable},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
};
use flotilla_protocol::{
    id::JobId,
    job::{EndJob, FollowJob, JobReport, JobRequest},
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

/// Answers when there is news, or after the wait that was asked for.
pub(super) async fn follow(
    State(api): State<Api>,
    Path(id): Path<JobId>,
    Query(follow): Query<FollowJob>,
) -> Result<Json<JobReport>, Refusal> {
    api.jobs.follow(id, follow).await.map(Json).map_err(Refusal)
}

pub(super) async fn end(
    State(api): State<Api>,
    Path(id): Path<JobId>,
    Query(end): Query<EndJob>,
) -> Result<Json<JobReport>, Refusal> {
    api.jobs.end(id, end).map(Json).map_err(Refusal)
}
