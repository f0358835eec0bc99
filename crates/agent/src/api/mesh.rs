//! Routes of the mesh: the network map, and the test of a path.

use super::{
    Api,
    refusal::{Refusal, unreadable},
};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use flotilla_protocol::{
    id::DeviceId,
    mesh::{MapPush, MapTaken},
    path::PathAttempt,
};

/// The largest network map that is taken, in bytes. A peer takes some hundred bytes, so this is room for tens of
/// thousands.
pub(super) const MAP_BYTES: usize = 16 * 1024 * 1024;

/// Answers when the map is in force, and on disk as far as it must be.
pub(super) async fn take_map(
    State(api): State<Api>,
    body: Result<Json<MapPush>, JsonRejection>,
) -> Result<Json<MapTaken>, Refusal> {
    let Json(push) = body.map_err(unreadable)?;
    api.mesh.take(push).await.map(Json).map_err(Refusal)
}

pub(super) async fn test_path(
    State(api): State<Api>,
    Path(peer): Path<DeviceId>,
) -> Result<Json<Vec<PathAttempt>>, Refusal> {
    api.mesh.test_path(peer).await.map(Json).map_err(Refusal)
}
