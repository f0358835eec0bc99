//! The route that acts on a container.

use super::{Api, refusal::Refusal};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::{Code, inventory::ContainerAction};

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
