//! One request, one answer, one connection: control is on loopback, where a connection costs nothing. Before a request
//! is sent, the other end has proved that it is control.

use crate::{Access, ApiStream, Error, Live, proof::prove_control};
use bytes::Bytes;
use flotilla_protocol::{
    Problem,
    api::{PREFIX, Request},
    stream::Streaming,
};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{future::Future, io, path::Path, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// How long connecting and proving may take. Loopback answers at once or not at all; a busy computer gets some time.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a call may take: the slowest is stopping a container that ignores its signal.
const ANSWER: Duration = Duration::from_secs(90);

/// Calls one control server.
#[derive(Debug, Clone)]
pub struct Client {
    access: Access,
}

impl Client {
    pub fn new(access: Access) -> Self {
        Self { access }
    }

    /// A client of the control that runs on this data directory.
    ///
    /// # Errors
    /// No control runs there, or what it left behind cannot be read.
    pub fn from_data_dir(data_dir: &Path) -> Result<Self, Error> {
        Access::from_data_dir(data_dir).map(Self::new)
    }

    /// A client of the control that the environment names, else of the one that runs on this data directory.
    ///
    /// # Errors
    /// As [`Client::from_data_dir`], or the environment is contradictory.
    pub fn from_env(data_dir: &Path) -> Result<Self, Error> {
        Access::from_env(data_dir).map(Self::new)
    }

    /// `HOST:PORT` of the control server.
    pub fn address(&self) -> &str {
        self.access.authority.as_str()
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// Control cannot be reached, or refuses with a [`Problem`].
    pub async fn send<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        let mut http = self.request(request)?;
        http.headers_mut().insert(header::AUTHORIZATION, self.bearer());
        let stream = self.connect().await?;
        let exchange = self.round_trip(stream, http, usize::MAX);
        let (status, answer, _) = self.within(ANSWER, exchange).await?;
        self.decode(status, &answer)
    }

    /// Opens the stream of frames that keep loaded pages true, from now on.
    ///
    /// # Errors
    /// Control cannot be reached, or refuses.
    pub async fn live(&self) -> Result<Live, Error> {
        self.within(CONNECT, Live::open(self)).await
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// Control cannot be reached, or refuses. A refusal of what is wanted is the stream's end.
    pub async fn open<S: Streaming>(&self, at: &S::At, open: S::Open) -> Result<ApiStream<S>, Error> {
        self.within(CONNECT, ApiStream::open(self, at, open)).await
    }

    /// Opens a connection whose other end is control.
    pub(crate) async fn connect(&self) -> Result<TcpStream, Error> {
        let connected = async {
            let stream = TcpStream::connect(self.address()).await;
            prove_control(self, stream.map_err(|source| self.unreachable(source))?).await
        };
        self.within(CONNECT, connected).await
    }

    /// A request of the API as HTTP, without a credential.
    pub(crate) fn request<R: Request>(&self, request: &R) -> Result<http::Request<Full<Bytes>>, Error> {
        let body = match request.body() {
            Some(body) => serde_json::to_vec(body).map_err(|error| self.unexpected(error.to_string()))?,
            None => Vec::new(),
        };
        http::Request::builder()
            .method(R::METHOD.as_str())
            .uri(format!("{PREFIX}{}", request.path()))
            .header(header::HOST, self.address())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.unexpected(error.to_string()))
    }

    pub(crate) fn token(&self) -> &str {
        &self.access.token
    }

    pub(crate) fn bearer(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.token());
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

    pub(crate) fn unexpected(&self, detail: String) -> Error {
        Error::Answer {
            address: self.address().to_owned(),
            detail,
        }
    }

    /// The problem in a refusal's body; an [`Error::Answer`] when the body is none.
    pub(crate) fn refusal(&self, status: StatusCode, body: &[u8]) -> Error {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => problem.into(),
            Err(_) => self.unexpected(format!("HTTP status {status}")),
        }
    }

    /// Sends a request and reads an answer of at most `longest` bytes; returns the connection for another request.
    pub(crate) async fn round_trip(
        &self,
        stream: TcpStream,
        request: http::Request<Full<Bytes>>,
        longest: usize,
    ) -> Result<(StatusCode, Bytes, TcpStream), Error> {
        let lost = |error: hyper::Error| self.unreachable(io::Error::other(error));
        let (mut sender, mut connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(lost)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), longest).collect().await;
            let body = body.map_err(|error| self.unreachable(io::Error::other(error)))?;
            Ok::<_, Error>((status, body.to_bytes()))
        };
        tokio::pin!(exchange);
        let (status, body) = tokio::select! {
            answer = &mut exchange => answer,
            // An error of the connection reaches the conversation too, with its reason.
            _ = &mut connection => exchange.await,
        }?;
        Ok((status, body, connection.into_parts().io.into_inner()))
    }

    fn decode<T: serde::de::DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, Error> {
        if !status.is_success() {
            return Err(self.refusal(status, body));
        }
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| self.unexpected(error.to_string()))
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
