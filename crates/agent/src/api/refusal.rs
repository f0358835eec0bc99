//! A problem as the answer to a call.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use flotilla_protocol::{Code, Problem};

/// A problem as an answer.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Problem);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

/// Why a body was not read.
pub(super) fn unreadable(error: JsonRejection) -> Refusal {
    Refusal(Code::InvalidInput.because(error.body_text()))
}
