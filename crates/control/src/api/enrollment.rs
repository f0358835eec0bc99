//! `GET /api/v1/devices/{device}/enrollment`: the stages that Add Device shows while it waits.

use crate::{
    core::Core,
    refusal::{Refusal, no_such_device},
};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::{Code, api::Enrollment};
use std::sync::Arc;

pub(super) async fn show(
    State(core): State<Arc<Core>>,
    Path(device): Path<String>,
) -> Result<Json<Enrollment>, Refusal> {
    let state = core.cache.lock();
    let entry = state.find(&device).ok_or_else(|| no_such_device(&device))?;
    let enrollment = entry.enrollment(core.clock.now());
    enrollment.map(Json).ok_or_else(|| {
        Refusal::new(
            Code::NotFound,
            format!(
                "{} has no enrollment token. Create a re-enroll command for it.",
                entry.row.name
            ),
        )
    })
}
