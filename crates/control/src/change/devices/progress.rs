//! The stages of an enrollment, which Add Device shows while a person waits.

use crate::{core::Core, store::TokenRow};
use flotilla_protocol::api::{EnrollmentFailure, Stage, StageReached};

/// Notes that an enrollment reached a stage for the first time.
pub(crate) async fn stage_reached(core: &Core, token: &TokenRow, stage: Stage, from: &str) {
    let at = core.clock.now();
    let from = Some(from.to_owned());
    progress(core, token, |token| {
        let first = !token.stages.iter().any(|reached| reached.stage == stage);
        if first {
            token.stages.push(StageReached { stage, at, from });
        }
        first
    })
    .await;
}

/// Notes the last refused attempt.
pub(crate) async fn attempt_failed(core: &Core, token: &TokenRow, failure: EnrollmentFailure) {
    progress(core, token, |token| {
        token.failure = Some(failure);
        true
    })
    .await;
}

/// Changes a token's progress. If that changes anything, it is published while the token is its device's newest, and
/// saved.
pub(super) async fn progress(core: &Core, token: &TokenRow, change: impl FnOnce(&mut TokenRow) -> bool) {
    let mut token = token.clone();
    {
        let mut state = core.cache.lock();
        let newest = state
            .device(token.device_id)
            .and_then(|entry| entry.token.clone());
        let shown = newest.filter(|newest| newest.id == token.id);
        let is_shown = shown.is_some();
        token = shown.unwrap_or(token);
        if !change(&mut token) {
            return;
        }
        if is_shown {
            state.set_token(token.clone(), core.clock.now());
        }
    }
    if let Err(error) = core
        .store
        .save_progress(token.id, &token.stages, token.failure.as_ref())
        .await
    {
        tracing::error!(token.id = %token.id, %error, "enrollment progress not saved");
    }
}
