//! Routes of a container: acting on it, and its log.

use super::{Api, refusal::Refusal};
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{Code, inventory::ContainerAction, log::ReadLog};

pub(super) async fn act(
    State(api): State<Api>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Json<()>, Refusal> {
    let action = ContainerAction::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| {
            Refusal(Code::NotFound.because(format!(
                "This agent cannot {action} a container; a newer one may."
            )))
        })?;
    if let Some(held) = api.jobs.holder(&id) {
        return Err(Refusal(held));
    }
    api.engine
        .act(&id, action)
        .await
        .map_err(|error| Refusal(error.into()))?;
    tracing::info!(
        container.id = id,
        action = action.as_str(),
        "done to a container, as control asked"
    );
    Ok(Json(()))
}

/// Reads a container's log, only as fast as control takes it.
pub(super) async fn log(
    State(api): State<Api>,
    Path(id): Path<String>,
    Opened { open, .. }: Opened<ReadLog>,
) -> Result<Response, Refusal> {
    let log = api.engine.log(&id, open).await.map_err(Refusal)?;
    Ok(answer::<ReadLog, _>(api.closing, |out| {
        out.send_all(log, async |mut log| (log.next().await, log))
    }))
}
