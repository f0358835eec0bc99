//! An agent's requests to its control: connect to the first endpoint that answers, verify its certificate, then ask.

use crate::{
    connect::connect,
    endings::innermost,
    proxy::Proxies,
    settings::{self, Limits},
    ws_io::WsIo,
};
use bytes::Bytes;
use flotilla_identity::TrustError;
use flotilla_protocol::{
    LINK_SUBPROTOCOL, PROTOCOL, Problem,
    agent::{HOSTNAME_HEADER, LINK_PATH, MACHINE_HEADER, PROTOCOL_HEADER, RUN_HEADER},
    endpoint::Endpoint,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, client::conn::http1, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::{error::Error, net::IpAddr, sync::Arc};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::Role,
    },
};

/// Which control to reach, and where.
#[derive(Debug, Clone)]
pub struct Target {
    /// Best first.
    pub endpoints: Vec<Endpoint>,
    /// The endpoint that last led to control; it is tried before all others.
    pub last_good: Option<Endpoint>,
    /// Made by [`flotilla_identity::agent_config`].
    pub tls: Arc<ClientConfig>,
    pub proxies: Proxies,
}

/// What an agent tells of itself in the upgrade, so that control recognizes a copied identity and can name its
/// machine.
#[derive(Debug, Clone)]
pub struct Introduction {
    pub machine_id: String,
    pub hostname: String,
    /// Random text that names this run of the agent: made when it begins to hold its link, kept until it ends.
    pub run: String,
}

impl Introduction {
    /// An introduction for an agent that starts, with a new name for its run.
    pub fn new(machine_id: impl Into<String>, hostname: impl Into<String>) -> Self {
        Self {
            machine_id: machine_id.into(),
            hostname: hostname.into(),
            run: format!("{:032x}", rand::random::<u128>()),
        }
    }
}

/// Why there is no link, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("no address of control is known")]
    NoEndpoint,
    /// No address led to the fleet's control, and at this one another server answered. Nothing was sent.
    #[error("{endpoint}: {source}")]
    Untrusted { endpoint: Endpoint, source: TrustError },
    /// Control refused, with its reason.
    #[error("{endpoint} refused: {problem}")]
    Refused {
        endpoint: Endpoint,
        status: u16,
        problem: Problem,
    },
    /// Control answered with something that this agent does not understand.
    #[error("{endpoint} gave an answer that is not understood: {what}")]
    NotUnderstood { endpoint: Endpoint, what: String },
    /// No endpoint could be reached, or none answered.
    #[error("control cannot be reached: {}", listed(.failures))]
    Unreachable { failures: Vec<(Endpoint, String)> },
}

/// The answer to a single call.
#[derive(Debug)]
pub struct Answer {
    /// The endpoint that answered.
    pub endpoint: Endpoint,
    pub body: Bytes,
}

/// A link that control has accepted; [`crate::serve`] makes it answer.
#[derive(derive_more::Debug)]
pub struct Dialed {
    endpoint: Endpoint,
    #[debug(skip)]
    local: Option<IpAddr>,
    #[debug(skip)]
    io: LinkIo,
}

type LinkIo = WsIo<WebSocketStream<TokioIo<Upgraded>>, Message>;

impl Dialed {
    /// The endpoint that answered.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address of this computer that the connection leaves from; `None` where the system does not tell it.
    pub fn local(&self) -> Option<IpAddr> {
        self.local
    }

    pub(crate) fn into_io(self) -> LinkIo {
        self.io
    }
}

/// Opens a link.
///
/// # Errors
/// See [`DialError`].
pub async fn dial(target: &Target, introduction: &Introduction) -> Result<Dialed, DialError> {
    dial_within(target, introduction, Limits::default()).await
}

pub(crate) async fn dial_within(
    target: &Target,
    introduction: &Introduction,
    limits: Limits,
) -> Result<Dialed, DialError> {
    // A host name may hold any character; control characters, which a header cannot carry, are left out.
    let header_safe = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    let headers = [
        (MACHINE_HEADER, header_safe(&introduction.machine_id)),
        (HOSTNAME_HEADER, header_safe(&introduction.hostname)),
        (RUN_HEADER, header_safe(&introduction.run)),
        (PROTOCOL_HEADER, PROTOCOL.to_string()),
    ];
    let wanted = SocketRequest {
        path: LINK_PATH,
        protocol: Some(LINK_SUBPROTOCOL),
        headers: &headers,
    };
    let OpenSocket { endpoint, local, io } = open_socket(target, wanted, limits).await?;
    let config = Some(settings::web_socket());
    let socket = WebSocketStream::from_raw_socket(io, Role::Client, config).await;
    Ok(Dialed {
        endpoint,
        local,
        io: WsIo::new(socket),
    })
}

/// A request for a WebSocket.
pub(crate) struct SocketRequest<'a> {
    pub(crate) path: &'static str,
    /// The subprotocol that both ends have to agree on.
    pub(crate) protocol: Option<&'static str>,
    pub(crate) headers: &'a [(&'static str, String)],
}

/// A WebSocket that was opened.
pub(crate) struct OpenSocket {
    pub(crate) endpoint: Endpoint,
    /// This end's address.
    pub(crate) local: Option<IpAddr>,
    pub(crate) io: TokioIo<Upgraded>,
}

/// Asks for a WebSocket at whichever endpoint answers first.
pub(crate) async fn open_socket(
    target: &Target,
    wanted: SocketRequest<'_>,
    limits: Limits,
) -> Result<OpenSocket, DialError> {
    let (endpoint, stream) = connect(target, limits).await?;
    let local = stream.get_ref().0.local_addr().ok().map(|address| address.ip());
    let key = generate_key();
    let not_understood = |what| DialError::NotUnderstood {
        endpoint: endpoint.clone(),
        what,
    };
    let request =
        upgrade_request(&endpoint, &wanted, &key).map_err(|error| not_understood(error.to_string()))?;
    let asked = ask(&endpoint, stream, request);
    let response = timeout(limits.answer, asked)
        .await
        .unwrap_or_else(|_| Err(silent(&endpoint)))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let status = response.status();
        let body = timeout(limits.answer, read(&endpoint, response))
            .await
            .unwrap_or_else(|_| Err(silent(&endpoint)))?;
        return Err(refusal(endpoint, status, &body));
    }
    let agreed = |name, value: &str| {
        let header = response.headers().get(name);
        header.is_some_and(|header| header.as_bytes() == value.as_bytes())
    };
    if !agreed(header::SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes()))
        || wanted
            .protocol
            .is_some_and(|protocol| !agreed(header::SEC_WEBSOCKET_PROTOCOL, protocol))
    {
        let protocol = wanted.protocol.unwrap_or("a WebSocket");
        return Err(not_understood(format!(
            "the upgrade does not agree on {protocol}"
        )));
    }
    let upgraded = hyper::upgrade::on(response)
        .await
        .map_err(|error| unreachable(&endpoint, &error))?;
    let io = TokioIo::new(upgraded);
    Ok(OpenSocket { endpoint, local, io })
}

/// Sends one request and gives the body of a successful answer. The request's URI is a path; host and
/// connection headers are added here.
///
/// # Errors
/// See [`DialError`].
pub async fn call(target: &Target, request: Request<Bytes>) -> Result<Answer, DialError> {
    let limits = Limits::default();
    let (endpoint, stream) = connect(target, limits).await?;
    let (mut parts, body) = request.into_parts();
    if let Ok(host) = HeaderValue::from_str(&endpoint.to_string()) {
        parts.headers.insert(header::HOST, host);
    }
    parts
        .headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    let request = Request::from_parts(parts, Full::new(body));
    let exchange = async {
        let response = ask(&endpoint, stream, request).await?;
        let status = response.status();
        let body = read(&endpoint, response).await?;
        Ok((status, body))
    };
    let (status, body) = timeout(limits.answer, exchange)
        .await
        .unwrap_or_else(|_| Err(silent(&endpoint)))?;
    if status.is_success() {
        Ok(Answer { endpoint, body })
    } else {
        Err(refusal(endpoint, status, &body))
    }
}

fn upgrade_request(
    endpoint: &Endpoint,
    wanted: &SocketRequest<'_>,
    key: &str,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(wanted.path)
        .header(header::HOST, endpoint.to_string())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key);
    let protocol = wanted
        .protocol
        .map(|protocol| (header::SEC_WEBSOCKET_PROTOCOL.as_str(), protocol.to_owned()));
    wanted
        .headers
        .iter()
        .cloned()
        .chain(protocol)
        .fold(request, |request, (name, value)| request.header(name, value))
        .body(Full::default())
}

/// Sends a request on a fresh connection and waits for the head of the answer.
async fn ask(
    endpoint: &Endpoint,
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, DialError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(endpoint, &error))?;
    // The task ends with the answer's body, or the connection lives on as the upgraded stream; both report its errors.
    tokio::spawn(connection.with_upgrades());
    sender
        .send_request(request)
        .await
        .map_err(|error| unreachable(endpoint, &error))
}

async fn read(endpoint: &Endpoint, response: Response<Incoming>) -> Result<Bytes, DialError> {
    match Limited::new(response.into_body(), settings::ANSWER_BYTES)
        .collect()
        .await
    {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(unreachable(endpoint, &*error)),
    }
}

fn refusal(endpoint: Endpoint, status: StatusCode, body: &[u8]) -> DialError {
    match serde_json::from_slice(body) {
        Ok(problem) => DialError::Refused {
            endpoint,
            status: status.as_u16(),
            problem,
        },
        Err(_) => DialError::NotUnderstood {
            endpoint,
            what: format!("HTTP status {status}"),
        },
    }
}

fn silent(endpoint: &Endpoint) -> DialError {
    DialError::Unreachable {
        failures: vec![(endpoint.clone(), "control did not answer in time".to_owned())],
    }
}

fn unreachable(endpoint: &Endpoint, error: &(dyn Error + 'static)) -> DialError {
    DialError::Unreachable {
        failures: vec![(endpoint.clone(), innermost(error))],
    }
}

fn listed(failures: &[(Endpoint, String)]) -> String {
    let failures: Vec<_> = failures
        .iter()
        .map(|(endpoint, reason)| format!("{endpoint}: {reason}"))
        .collect();
    failures.join("; ")
}
