//! The route by which control tells this device its name, its relay and where control is.

use super::{
    Api,
    refusal::{Refusal, unreadable},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use flotilla_protocol::{Code, agent::Settings};

/// Answers when the settings are on disk.
pub(super) async fn take(
    State(api): State<Api>,
    body: Result<Json<Settings>, JsonRejection>,
) -> Result<Json<()>, Refusal> {
    let Json(settings) = body.map_err(unreadable)?;
    api.clock.heard_from_control(settings.sent_at);
    let state = api.state.clone();
    let stored = tokio::task::spawn_blocking(move || {
        state.update(|state| {
            state.heard = Some(settings.sent_at);
            if let Some(identity) = &mut state.identity {
                identity.device_name = settings.device_name;
                identity.relay = settings.relay;
                // Without an address the device could never come back.
                if !settings.endpoints.is_empty() {
                    identity.endpoints = settings.endpoints;
                }
            }
        })
    });
    match stored.await {
        Ok(Ok(())) => Ok(Json(())),
        Ok(Err(error)) => Err(Refusal(Code::Unavailable.because(error.to_string()))),
        Err(error) => Err(Refusal(Code::Internal.because(error.to_string()))),
    }
}
