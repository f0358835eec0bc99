//! A refused request as it leaves control: the problem's JSON under the status of its code.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use flotilla_protocol::{Code, Problem};
use http::StatusCode;

/// The error of every route.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::From)]
pub(crate) struct Refusal(pub(crate) Problem);

impl Refusal {
    /// A value of the request that can't be used.
    pub(crate) fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Code::InvalidInput.because(why).with_field(field))
    }

    pub(crate) fn with_field(self, field: impl Into<String>) -> Self {
        Self(self.0.with_field(field))
    }
}

pub(crate) fn no_such_device(text: &str) -> Refusal {
    Refusal(Code::NotFound.because(format!(
        "There is no device named {text}. It may have been renamed or removed."
    )))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

/// The answer to a path or method without a route.
pub(crate) async fn not_found() -> Refusal {
    nothing_here()
}

pub(crate) fn nothing_here() -> Refusal {
    Refusal(Code::NotFound.because("There is nothing at this address."))
}
