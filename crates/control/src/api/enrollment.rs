//! `GET /api/v1/devices/{device}/enrollment`: the stages that Add Device shows while it waits.

use super::caller::OnDevice;
use crate::{core::Core, refusal::Refusal};
use axum::{Json, extract::State};
use flotilla_protocol::{Code, api::Enrollment};
use std::sync::Arc;

pub(super) async fn show(
    State(core): State<Arc<Core>>,
    OnDevice(device): OnDevice,
) -> Result<Json<Enrollment>, Refusal> {
    let entry = core.device(device)?;
    let enrollment = entry.enrollment(core.clock.now());
    enrollment.map(Json).ok_or_else(|| {
        Refusal(Code::NotFound.because(format!(
            "{} has no enrollment token. Create a re-enroll command for it.",
            entry.row.name
        )))
    })
}
