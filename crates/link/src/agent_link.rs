//! Control's end of a link: the handle with which it calls an agent.
//!
//! Life cycle: established → calls → [`LinkEnd`]. The connection is a task of its own. It ends when the
//! agent goes away or falls silent, when [`AgentLink::abort`] is called, and when the last handle is dropped.

use crate::{
    duplex::{Duplex, InputBody},
    endings::LinkEnd,
    settings::{self, Limits},
    severable::Severable,
    stream::{Budget, NoRoom, Opener, Slot},
};
use bytes::Bytes;
use flotilla_protocol::{Code, Problem, text::shown};
use futures_util::Stream;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::{BodyExt, Full, Limited, combinators::BoxBody};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The longest text that is kept of an agent's refusal: longer than any that our agents send, with the reason of their
/// engine in it.
const REFUSAL_CHARS: usize = 1000;

pub(crate) type RequestBody = BoxBody<Bytes, io::Error>;

/// A live agent. Clones share the one connection.
#[derive(Clone, derive_more::Debug)]
#[debug("AgentLink({:?})", *end.borrow())]
pub struct AgentLink {
    sender: http2::SendRequest<RequestBody>,
    long: Budget,
    stop: CancellationToken,
    end: watch::Receiver<Option<LinkEnd>>,
}

/// Why a call to an agent has no successful answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("the link to the device ended")]
    Closed,
    #[error("the device did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("{LONG_STREAMS} long streams are open on this device already; close one, then try again", LONG_STREAMS = settings::LONG_STREAMS)]
    Busy,
    #[error("you have {CALLER_STREAMS} long streams open on this device already, your share of them; close one, then try again", CALLER_STREAMS = settings::CALLER_STREAMS)]
    Crowded,
    #[error("{0}")]
    Refused(Problem),
    #[error("the device gave an answer that this control does not understand: {0}")]
    Malformed(String),
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::Closed => Code::DeviceOffline,
            CallError::TimedOut(_) => Code::NoAnswer,
            CallError::Busy | CallError::Crowded => Code::LinkBusy,
            CallError::Refused(problem) => return problem,
            CallError::Malformed(_) => Code::Internal,
        };
        code.because(error.to_string())
    }
}

impl AgentLink {
    pub(crate) async fn establish(
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        limits: Limits,
    ) -> Result<Self, hyper::Error> {
        let stop = CancellationToken::new();
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(settings::STREAM_WINDOW)
            .initial_connection_window_size(settings::CONNECTION_WINDOW)
            .max_frame_size(settings::FRAME)
            .max_send_buf_size(settings::SEND_BUFFER)
            .keep_alive_interval(limits.ping_interval)
            .keep_alive_timeout(limits.ping_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(Severable::new(io, stop.clone(), ())))
            .await?;
        let (ended, end) = watch::channel(None);
        let stopped = stop.clone();
        tokio::spawn(async move {
            let how = LinkEnd::of(connection.await);
            let how = if stopped.is_cancelled() {
                LinkEnd::Stopped
            } else {
                how
            };
            ended.send_replace(Some(how));
        });
        Ok(Self {
            sender,
            long: Budget::new(settings::LONG_STREAMS, settings::CALLER_STREAMS),
            stop,
            end,
        })
    }

    /// Waits until the link is over, and returns how it ended.
    pub async fn closed(&self) -> LinkEnd {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or(LinkEnd::Stopped),
            // The task ends without a result only when the runtime stops.
            Err(_) => LinkEnd::Stopped,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Ends the link at once: open calls fail, and the agent sees its connection end.
    pub fn abort(&self) {
        self.stop.cancel();
    }

    /// A short call with a JSON answer.
    ///
    /// # Errors
    /// The link ended, the agent was too slow, or it refused.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, CallError> {
        self.ask(request(Method::GET, path, Bytes::new())?, limit).await
    }

    /// A short call with a JSON body and a JSON answer.
    ///
    /// # Errors
    /// The link ended, the agent was too slow, or it refused.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, CallError> {
        self.send_json(Method::POST, path, body, limit).await
    }

    /// As [`AgentLink::post`], for calls that may be repeated.
    ///
    /// # Errors
    /// The link ended, the agent was too slow, or it refused.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, CallError> {
        self.send_json(Method::PUT, path, body, limit).await
    }

    /// A short call that ends something, with a JSON answer.
    ///
    /// # Errors
    /// The link ended, the agent was too slow, or it refused.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, CallError> {
        self.ask(request(Method::DELETE, path, Bytes::new())?, limit)
            .await
    }

    async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::Malformed(error.to_string()))?;
        let mut request = request(method, path, Bytes::from(body))?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        self.ask(request, limit).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<T, CallError> {
        let response = self.call(request, limit).await?;
        // The error quotes bytes that the device sent, so its text is bounded and escaped.
        serde_json::from_slice(response.body())
            .map_err(|error| CallError::Malformed(shown(&error.to_string(), REFUSAL_CHARS)))
    }

    /// A short call. Dropping the future cancels it at the agent.
    ///
    /// # Errors
    /// The link ended, the agent was too slow, or it answered something else than success.
    pub async fn call(&self, request: Request<Bytes>, limit: Duration) -> Result<Response<Bytes>, CallError> {
        let answer = async {
            let (parts, body) = request.into_parts();
            let response = self.send(parts, full(body)).await?;
            let (parts, body) = response.into_parts();
            let body = collect(body).await?;
            succeeded(parts.status, &body)?;
            Ok(Response::from_parts(parts, body))
        };
        timeout(limit, answer)
            .await
            .unwrap_or(Err(CallError::TimedOut(limit)))
    }

    /// A long call: the answer begins within `limit` and then goes on until either side ends it. It counts against
    /// [`crate::LONG_STREAMS`], and dropping it cancels it at the agent.
    ///
    /// # Errors
    /// Too many are open, the link ended, the agent was too slow, or it refused.
    pub async fn stream(&self, path: &str, limit: Duration) -> Result<LongStream, CallError> {
        let request = request(Method::GET, path, Bytes::new())?;
        self.stream_of(request, &Opener::Control, limit).await
    }

    /// As [`AgentLink::stream`], with the opener's share counted.
    pub(crate) async fn stream_of(
        &self,
        request: Request<Bytes>,
        opener: &Opener,
        limit: Duration,
    ) -> Result<LongStream, CallError> {
        let slot = self.slot(opener)?;
        let (parts, body) = request.into_parts();
        let body = self.begin(parts, full(body), limit).await?;
        Ok(LongStream { body, _slot: slot })
    }

    /// A call in which both bodies stay open, like a terminal; the first input is in the request. It counts as a
    /// [`AgentLink::stream`] does.
    pub(crate) async fn duplex(
        &self,
        request: Request<Bytes>,
        opener: &Opener,
        limit: Duration,
    ) -> Result<Duplex, CallError> {
        let slot = self.slot(opener)?;
        let (parts, first) = request.into_parts();
        let (input, guard, body) = InputBody::channel(first);
        let body = self.begin(parts, BoxBody::new(body), limit).await?;
        Ok(Duplex::new(input, guard, LongStream { body, _slot: slot }))
    }

    fn slot(&self, opener: &Opener) -> Result<Slot, CallError> {
        self.long.take(opener).map_err(|no_room| match no_room {
            NoRoom::All(_) => CallError::Busy,
            NoRoom::Share(_) => CallError::Crowded,
        })
    }

    /// Sends a request and waits for the head of a successful answer.
    async fn begin(&self, parts: Parts, body: RequestBody, limit: Duration) -> Result<Incoming, CallError> {
        let answer = async {
            let response = self.send(parts, body).await?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            let status = response.status();
            let body = collect(response.into_body()).await?;
            succeeded(status, &body)?;
            Err(CallError::Closed)
        };
        timeout(limit, answer)
            .await
            .unwrap_or(Err(CallError::TimedOut(limit)))
    }

    async fn send(&self, mut parts: Parts, body: RequestBody) -> Result<Response<Incoming>, CallError> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // HTTP/2 requires an authority. A link leads to one agent, so any name will do.
        parts.uri = Uri::builder()
            .scheme("http")
            .authority("agent")
            .path_and_query(path)
            .build()
            .map_err(|error| CallError::Malformed(error.to_string()))?;
        let request = Request::from_parts(parts, body);
        self.sender
            .clone()
            .send_request(request)
            .await
            .map_err(|_| CallError::Closed)
    }
}

/// The body of a long call, as it arrives.
#[derive(derive_more::Debug)]
#[debug("LongStream")]
pub struct LongStream {
    body: Incoming,
    _slot: Slot,
}

impl LongStream {
    /// The next frame: bytes, or trailers at the end.
    pub(crate) async fn frame(&mut self) -> Option<Result<http_body::Frame<Bytes>, CallError>> {
        let frame = self.body.frame().await?;
        Some(frame.map_err(|_| CallError::Closed))
    }
}

impl Stream for LongStream {
    type Item = Result<Bytes, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        use http_body::Body;
        loop {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => return Poll::Ready(Some(Err(CallError::Closed))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>, CallError> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(body)
        .map_err(|error| CallError::Malformed(error.to_string()))
}

fn full(body: Bytes) -> RequestBody {
    BoxBody::new(Full::new(body).map_err(|never| match never {}))
}

async fn collect(body: Incoming) -> Result<Bytes, CallError> {
    match Limited::new(body, settings::ANSWER_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(CallError::Malformed(error.to_string()))
        }
        Err(_) => Err(CallError::Closed),
    }
}

/// Makes a device's refusal fit to be passed on by control: its text is made safe for a sentence, a log and a
/// terminal, its field names are dropped, and codes about access to control are replaced, because a device does not
/// decide those.
#[must_use]
pub fn sanitize_device_problem(problem: Problem) -> Problem {
    let code = match problem.code.status() {
        401 | 403 | 410 | 426 => Code::Internal,
        _ => problem.code,
    };
    code.because(shown(&problem.message, REFUSAL_CHARS))
}

fn succeeded(status: StatusCode, body: &[u8]) -> Result<(), CallError> {
    if status.is_success() {
        return Ok(());
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Err(CallError::Refused(sanitize_device_problem(problem))),
        Err(_) => Err(CallError::Malformed(format!("HTTP status {status}"))),
    }
}
