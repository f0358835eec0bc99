//! Reads a request's JSON body, and says what is wrong with it and where.

use crate::refusal::Refusal;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use flotilla_protocol::Code;
use serde::de::DeserializeOwned;

/// A decoded body. An empty one counts as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Refusal(Code::TooLarge.because("The request is too large, or it ended early.")))?;
        decode(&bytes).map(Self)
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let path = error.path().to_string();
        let refusal =
            Refusal(Code::InvalidInput.because(format!("The request can't be read: {}.", error.inner())));
        if path == "." {
            refusal
        } else {
            refusal.with_field(path)
        }
    })?;
    input
        .end()
        .map_err(|_| Refusal(Code::InvalidInput.because("The request has something behind its JSON.")))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::api::AddDevice;

    fn refused(text: &str) -> flotilla_protocol::Problem {
        decode::<AddDevice>(text.as_bytes()).unwrap_err().0
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field() {
        assert_eq!(refused(r#"{"mode":"vpn"}"#).field.as_deref(), Some("mode"));
        assert_eq!(refused(r#"{"tags":["a",1]}"#).field.as_deref(), Some("tags[1]"));
        assert_eq!(refused(r#"{"modes":"host"}"#).field.as_deref(), Some("modes"));
        assert_eq!(refused("{").code, Code::InvalidInput);
        assert_eq!(refused("{} {}").code, Code::InvalidInput);
        assert!(decode::<AddDevice>(b"").is_ok());
    }
}
