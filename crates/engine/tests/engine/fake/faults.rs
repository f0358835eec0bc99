//! Answers as a broken engine gives them.

use axum::{
    Json,
    body::Body,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use serde_json::{Value, json};
use std::io;

#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// 500, and the reason.
    Error(&'static str),
    /// No answer at all.
    Hangs,
    /// The connection ends in the middle of the answer.
    Breaks,
    /// Another value than expected.
    Says(Value),
}

impl Fault {
    pub(super) async fn answer(self) -> Response {
        match self {
            Self::Error(message) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Json(json!({"message": message})),
            )
                .into_response(),
            Self::Hangs => future::pending().await,
            Self::Breaks => {
                let begun = stream::iter([Ok(Bytes::from_static(b"["))]);
                let broken = stream::iter([Err(io::Error::other("broken"))]);
                Response::new(Body::from_stream(begun.chain(broken)))
            }
            Self::Says(value) => Json(value).into_response(),
        }
    }
}
