//! Where containers are attached: in the pod of this device or not, and the agent itself in the network of its mode.

use super::{Api, Refusal};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use flotilla_protocol::{
    Code, Problem,
    agent::{ModeOrder, PodPlacement},
    api::Empty,
};

/// Answered when the container runs in its new place.
pub(super) async fn place_in_pod(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<PodPlacement>, JsonRejection>,
) -> Result<Json<Empty>, Refusal> {
    let Json(PodPlacement { member }) = body.map_err(unreadable)?;
    api.engine
        .place_in_pod(&id, member)
        .await
        .map_err(|error| Refusal(error.into()))?;
    tracing::info!(
        container.id = id,
        member,
        "a container was placed, as control asked"
    );
    Ok(Json(Empty {}))
}

/// Answered when the move has begun, since it ends this agent.
pub(super) async fn change_mode(
    State(api): State<Api>,
    body: Result<Json<ModeOrder>, JsonRejection>,
) -> Result<Json<Empty>, Refusal> {
    let Json(ModeOrder { mode }) = body.map_err(unreadable)?;
    api.engine
        .change_mode(mode)
        .await
        .map_err(|error| Refusal(error.into()))?;
    Ok(Json(Empty {}))
}

fn unreadable(error: JsonRejection) -> Refusal {
    Refusal(Problem::new(Code::InvalidInput, error.body_text()))
}
