//! One request, one answer, one connection: control is on loopback, where a connection costs nothing.

use crate::{Access, Error, Live};
use bytes::Bytes;
use flotilla_protocol::{
    Problem,
    api::{PREFIX, Request},
};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{future::Future, io, path::Path, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// Loopback answers at once or not at all.
const CONNECT: Duration = Duration::from_secs(5);

/// The slowest call is stopping a container that ignores its signal.
const ANSWER: Duration = Duration::from_secs(90);

/// Speaks with one control server.
#[derive(Debug, Clone)]
pub struct Client {
    access: Access,
}

impl Client {
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self { access }
    }

    /// The control that runs on this data directory.
    ///
    /// # Errors
    /// No control runs there, or what it left behind cannot be read.
    pub fn from_data_dir(data_dir: &Path) -> Result<Self, Error> {
        Access::from_data_dir(data_dir).map(Self::new)
    }

    /// The control that the environment names, else the one that runs on this data directory.
    ///
    /// # Errors
    /// As [`Client::from_data_dir`], or the environment is contradictory.
    pub fn from_env(data_dir: &Path) -> Result<Self, Error> {
        Access::from_env(data_dir).map(Self::new)
    }

    /// `HOST:PORT` of the control server.
    #[must_use]
    pub fn address(&self) -> &str {
        self.access.authority.as_str()
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// Control cannot be reached, or refuses with a [`Problem`].
    pub async fn send<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        let body = if R::METHOD.has_body() {
            serde_json::to_vec(request).map_err(|error| self.odd(error.to_string()))?
        } else {
            Vec::new()
        };
        let http = http::Request::builder()
            .method(R::METHOD.as_str())
            .uri(format!("{PREFIX}{}", request.path()))
            .header(header::HOST, self.address())
            .header(header::AUTHORIZATION, self.bearer())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.odd(error.to_string()))?;
        let (status, answer) = self.within(ANSWER, self.exchange(http)).await?;
        self.decode(status, &answer)
    }

    /// The frames that keep loaded pages true, from now on.
    ///
    /// # Errors
    /// Control cannot be reached, or refuses.
    pub async fn live(&self) -> Result<Live, Error> {
        self.within(CONNECT, Live::open(self)).await
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream, Error> {
        let connected = async {
            let stream = TcpStream::connect(self.address()).await;
            stream.map_err(|source| self.unreachable(source))
        };
        self.within(CONNECT, connected).await
    }

    pub(crate) fn bearer(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.access.token);
        let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    pub(crate) fn unreachable(&self, source: io::Error) -> Error {
        Error::Unreachable {
            address: self.address().to_owned(),
            source,
        }
    }

    pub(crate) fn odd(&self, detail: String) -> Error {
        Error::Answer {
            address: self.address().to_owned(),
            detail,
        }
    }

    /// The problem in a refusal's body, or what came instead of one.
    pub(crate) fn refusal(&self, status: StatusCode, body: &[u8]) -> Error {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => problem.into(),
            Err(_) => self.odd(format!("HTTP status {status}")),
        }
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Error> {
        let lost = |error: hyper::Error| self.unreachable(io::Error::other(error));
        let io = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = http1::handshake(io).await.map_err(lost)?;
        let conversation = async {
            let response = sender.send_request(request).await.map_err(lost)?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(lost)?;
            Ok((status, body.to_bytes()))
        };
        tokio::pin!(conversation);
        tokio::select! {
            answer = &mut conversation => answer,
            // An error of the connection reaches the conversation too, with its reason.
            _ = connection => conversation.await,
        }
    }

    fn decode<T: serde::de::DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, Error> {
        if !status.is_success() {
            return Err(self.refusal(status, body));
        }
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| self.odd(error.to_string()))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match timeout(limit, call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.unreachable(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {} s", limit.as_secs()),
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
