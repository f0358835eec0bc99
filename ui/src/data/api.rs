//! Calls of the control API. A call has a limit of time, ends when its future is dropped, and fails with a [`Failure`].

mod failure;
mod limit;

pub use failure::{Failure, Sent, Why};

use crate::{browser, clock, session};
use flotilla_protocol::{
    Code, Problem,
    api::{Method, PREFIX, REQUEST_HEADER, Request, SESSION_HEADER},
};
use limit::Limit;
use serde::de::DeserializeOwned;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCredentials, RequestInit, Response};

/// Control answers from what it knows, so an answer that is not there by then will not come.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// Control waits for a device for at most 60 s.
const ACT_LIMIT: Duration = Duration::from_secs(90);

/// Sends a request and waits for its response.
///
/// # Errors
/// The controller refused, did not answer in time, or answered something unreadable.
pub async fn send<R: Request>(request: &R) -> Result<R::Response, Failure> {
    let mut answer = Call::of(request).answer().await?;
    // The response of a call without a result has an empty body.
    if answer.text.trim().is_empty() {
        "{}".clone_into(&mut answer.text);
    }
    answer.read()
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

    /// Sends the request and waits for its response.
    ///
    /// # Errors
    /// The controller refused, or did not answer in time.
    pub async fn answer(self) -> Result<Answer, Failure> {
        let sent = Sent {
            id: request_id(),
            call: format!("{} {PREFIX}{}", self.method.as_str(), self.path),
            at: clock::now(),
        };
        match self.text(&sent.id).await {
            Ok(text) => Ok(Answer { text, sent }),
            Err(why) => Err(Failure {
                why,
                sent: Some(sent),
            }),
        }
    }

    async fn text(self, id: &str) -> Result<String, Why> {
        let secret = session::page_secret();
        let within = if self.method == Method::Get {
            READ_LIMIT
        } else {
            ACT_LIMIT
        };
        let limit = Limit::new(within).ok_or(Why::Unreachable)?;
        let init = self.init(id, secret.as_deref()).map_err(|_| Why::Unreadable)?;
        init.set_signal(Some(&limit.signal()));
        let failed = |_| {
            if limit.is_over() {
                Why::TooSlow(within.as_secs())
            } else {
                Why::Unreachable
            }
        };
        let (is_ok, text) = fetch(&format!("{PREFIX}{}", self.path), &init)
            .await
            .map_err(failed)?;
        if is_ok {
            return Ok(text);
        }
        let problem: Problem = serde_json::from_str(&text).map_err(|_| Why::Unreadable)?;
        // An answer to the secret of an earlier session says nothing about this one.
        if problem.code == Code::Unauthenticated && secret == session::page_secret() {
            browser::tell(session::REFUSED);
        }
        Err(Why::Refused(problem))
    }

    fn init(&self, id: &str, secret: Option<&str>) -> Result<RequestInit, JsValue> {
        let init = RequestInit::new();
        init.set_method(self.method.as_str());
        init.set_credentials(RequestCredentials::SameOrigin);
        let headers = Headers::new()?;
        headers.set(REQUEST_HEADER, id)?;
        if let Some(secret) = secret {
            headers.set(SESSION_HEADER, secret)?;
        }
        if let Some(body) = &self.body {
            init.set_body(&JsValue::from_str(body));
            headers.set("content-type", "application/json")?;
        }
        init.set_headers(&headers);
        Ok(init)
    }
}

/// The text of a response, and the call that it answers.
#[derive(Debug)]
pub struct Answer {
    text: String,
    sent: Sent,
}

impl Answer {
    /// # Errors
    /// The text is not what the call is answered with.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|_| Failure {
            why: Why::Unreadable,
            sent: Some(self.sent),
        })
    }
}

async fn fetch(address: &str, init: &RequestInit) -> Result<(bool, String), JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response = JsFuture::from(window.fetch_with_str_and_init(address, init)).await?;
    let response: Response = response.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}

/// Eight hexadecimal digits, by which a call is found in the controller's log.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at least 0 and less than 2^32"
)]
fn request_id() -> String {
    format!("{:08x}", (js_sys::Math::random() * f64::from(u32::MAX)) as u32)
}
