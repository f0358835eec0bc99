//! Calls of the control API. Every call fails with a [`Failure`].

use flotilla_protocol::{
    Code, Problem,
    api::{Method, PREFIX, Request, SESSION_HEADER},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{copy::errors, session, wire};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The controller answered with a problem.
    #[error("{0}")]
    Refused(Problem),
    /// The controller did not answer.
    #[error("{}", errors::UNREACHABLE)]
    Unreachable,
    /// The answer is not what a controller of this version sends.
    #[error("{}", errors::UNREADABLE)]
    Unreadable,
}

impl Failure {
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable | Self::Unreadable => None,
        }
    }

    /// The field of the request that the controller refused.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.field.as_deref(),
            Self::Unreachable | Self::Unreadable => None,
        }
    }
}

/// Sends a request and waits for its response.
///
/// # Errors
/// The controller refused, did not answer, or answered something unreadable.
pub async fn send<R: Request>(request: &R) -> Result<R::Response, Failure> {
    let text = Call::of(request).answer().await?;
    // The response of a call without a result has an empty body.
    let text = if text.trim().is_empty() { "{}" } else { &text };
    wire::read(text).map_err(|_| Failure::Unreadable)
}

/// A request as it is sent, without its type: method, path and body.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Option<String>,
}

impl Call {
    #[must_use]
    pub fn of<R: Request>(request: &R) -> Self {
        Self {
            method: R::METHOD,
            path: request.path(),
            body: request
                .body()
                .map(|body| serde_json::to_string(body).unwrap_or_default()),
        }
    }

    /// Sends the request and waits for the text of the response.
    ///
    /// # Errors
    /// The controller refused or did not answer.
    pub async fn answer(self) -> Result<String, Failure> {
        let init = web_sys::RequestInit::new();
        init.set_method(self.method.as_str());
        init.set_credentials(web_sys::RequestCredentials::SameOrigin);
        let headers = web_sys::Headers::new().map_err(|_| Failure::Unreadable)?;
        if let Some(secret) = session::page_secret() {
            headers
                .set(SESSION_HEADER, &secret)
                .map_err(|_| Failure::Unreadable)?;
        }
        if let Some(body) = self.body {
            init.set_body(&JsValue::from_str(&body));
            headers
                .set("content-type", "application/json")
                .map_err(|_| Failure::Unreadable)?;
        }
        init.set_headers(&headers);
        let (ok, text) = fetch(&format!("{PREFIX}{}", self.path), &init).await?;
        if ok {
            Ok(text)
        } else {
            Err(wire::read(&text).map_or(Failure::Unreadable, Failure::Refused))
        }
    }
}

async fn fetch(address: &str, init: &web_sys::RequestInit) -> Result<(bool, String), Failure> {
    let window = web_sys::window().ok_or(Failure::Unreachable)?;
    let answer = JsFuture::from(window.fetch_with_str_and_init(address, init));
    let response: web_sys::Response = answer
        .await
        .map_err(|_| Failure::Unreachable)?
        .dyn_into()
        .map_err(|_| Failure::Unreadable)?;
    let text = response.text().map_err(|_| Failure::Unreadable)?;
    let text = JsFuture::from(text).await.map_err(|_| Failure::Unreachable)?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}
