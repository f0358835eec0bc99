//! `GET /api/v1/devices/{device}/enrollment`: the stages that Add Device shows while it waits.

use super::caller::{Answer, Asks, OnDevice};
use crate::refusal::Refusal;
use axum::Json;
use flotilla_protocol::{Code, api::Enrollment};

pub(super) async fn show(asks: Asks, OnDevice(device): OnDevice) -> Answer<Enrollment> {
    let entry = asks.core.device(device)?;
    let enrollment = entry.enrollment(asks.core.clock.now());
    enrollment.map(Json).ok_or_else(|| {
        Refusal(Code::NotFound.because(format!(
            "{} has no enrollment token. Create a re-enroll command for it.",
            entry.row.name
        )))
    })
}
