//! Requests to the engine answered as untyped JSON: a typed answer would lose a whole list to one odd row.

use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{error::Error as StdError, io, path::Path, time::Duration};
use tokio::{net::UnixStream, time::timeout};

/// The longest answer that is read, in bytes: more than the list of a device with ten thousand containers.
const LARGEST_ANSWER: usize = 64 << 20;

/// Why a request has no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadFailure {
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("error {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("an answer that can't be read: {0}")]
    LabelError(String),
    /// The engine may be gone, or this request makes it break the connection.
    #[error("the connection broke off: {0}")]
    Broken(String),
}

impl ReadFailure {
    /// The failure that an error of the API client stands for; `waited` is the client's limit.
    pub(crate) fn of(error: &Error, waited: Duration) -> Self {
        match error {
            Error::RequestTimeoutError => Self::Silent(waited),
            Error::DockerResponseServerError { status_code, message } => Self::Refused {
                status: *status_code,
                message: message.clone(),
            },
            Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. } => {
                Self::Broken(error.to_string())
            }
            other => Self::LabelError(other.to_string()),
        }
    }

    /// Whether it leaves open if the engine still runs.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }

    fn broken(error: &(impl StdError + ?Sized)) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ReadFailure> for Error {
    fn from(failure: ReadFailure) -> Self {
        Self::IOError {
            err: io::Error::other(failure),
        }
    }
}

/// Gets a path, with its query, below the engine's root.
///
/// # Errors
/// See [`ReadFailure`].
pub(crate) async fn get(socket: &Path, path: &str, within: Duration) -> Result<Value, ReadFailure> {
    let body = timeout(within, fetch(socket, path))
        .await
        .map_err(|_| ReadFailure::Silent(within))??;
    serde_json::from_slice(&body).map_err(|error| ReadFailure::LabelError(error.to_string()))
}

/// Whether the engine answers a request at all, be it with an error.
pub(crate) async fn answers(socket: &Path, within: Duration) -> bool {
    matches!(
        timeout(within, fetch(socket, "/_ping")).await,
        Ok(Ok(_) | Err(ReadFailure::Refused { .. }))
    )
}

async fn fetch(socket: &Path, path: &str) -> Result<Bytes, ReadFailure> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|error| ReadFailure::broken(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ReadFailure::broken(&error))?;
    let request = Request::get(path)
        .header("host", "docker")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ReadFailure::LabelError(error.to_string()))?;
    let exchange = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| ReadFailure::broken(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| ReadFailure::broken(&*error))?.to_bytes();
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(ReadFailure::Refused {
            status: status.as_u16(),
            message: message(&body),
        })
    };
    tokio::pin!(connection);
    tokio::select! {
        answer = exchange => answer,
        Err(error) = &mut connection => Err(ReadFailure::broken(&error)),
    }
}

/// The reason in the body of a refusal: from an engine's JSON, or the plain text of a proxy in front of it.
fn message(body: &[u8]) -> String {
    let json = serde_json::from_slice::<Value>(body).ok();
    let message = json.and_then(|json| Some(json.get("message")?.as_str()?.to_owned()));
    message.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned())
}
