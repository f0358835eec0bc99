//! One connection of a port, from its first byte to its end or its upgrade.

use crate::{
    caller::Caller,
    eviction::Stage,
    pace::{Meter, Paced},
    places::{Admission, Place},
    settings::{self, Limits},
    severable::Severable,
    timed_body::in_time,
};
use axum::{Router, response::Response};
use flotilla_identity::PeerCertificate;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The bytes of a connection. They are cut when it is evicted, and hold its place until they are closed.
type Stream = Severable<Paced<TcpStream>, Place>;

/// What all connections of a port have in common.
#[derive(Clone)]
pub(crate) struct Port {
    /// `None` for plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    /// Whether an answer with this status, to a request for this path, shows that its caller has access.
    pub(crate) grants_access: fn(&str, StatusCode) -> bool,
    pub(crate) limits: Limits,
}

/// One connection, as its requests share it.
struct Connection {
    port: Port,
    caller: Caller,
    admission: Admission,
    refusals: AtomicU32,
}

/// Serves one connection until it closes or is upgraded.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    remote: SocketAddr,
    (place, cut): (Place, CancellationToken),
    port: Port,
    shutdown: CancellationToken,
) {
    let (meter, admission) = (Meter::default(), place.admission().clone());
    let mut connection = Connection {
        caller: Caller {
            remote,
            certificate: None,
        },
        admission,
        refusals: AtomicU32::new(0),
        port,
    };
    let Some(tls) = connection.port.tls.clone() else {
        let stream = Severable::new(Paced::new(stream, meter.clone()), cut, place);
        return connection.serve(stream, meter, shutdown).await;
    };
    let handshake = async {
        // A connection that sends nothing stays idle and is evicted first.
        stream.readable().await?;
        connection.admission.set_stage(Stage::Busy);
        let stream = Severable::new(Paced::new(stream, meter.clone()), cut, place);
        tls.accept(stream).await
    };
    let handshake = timeout(connection.port.limits.handshake, handshake);
    let stream = match shutdown.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => stream,
        Some(Ok(Err(error))) => {
            return tracing::debug!(error = %error, remote = %remote, "a TLS handshake failed");
        }
        Some(Err(_)) => return tracing::debug!(remote = %remote, "a TLS handshake took too long"),
        None => return,
    };
    connection.caller.certificate = certificate(&stream);
    match connection.caller.device() {
        Some(device) => connection.admission.admit(device),
        None => connection.admission.set_stage(Stage::Idle),
    }
    connection.serve(stream, meter, shutdown).await;
}

impl Connection {
    async fn serve<S>(self, stream: S, meter: Meter, shutdown: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (limits, remote) = (self.port.limits, self.caller.remote);
        let connection = Arc::new(self);
        let service = service_fn(move |request| connection.clone().answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(settings::HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = async {
            tokio::select! {
                result = connection.as_mut() => result,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        tokio::select! {
            result = served => {
                if let Err(error) = result {
                    tracing::debug!(error = %error, remote = %remote, "a connection ended");
                }
            }
            () = meter.exhausted(limits.patience) => {
                tracing::debug!(remote = %remote, "a client took its answer too slowly");
            }
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response, Infallible> {
        self.admission.set_stage(Stage::Busy);
        let path = request.uri().path().to_owned();
        let mut request = request.map(|body| in_time(body, self.port.limits.body));
        request.extensions_mut().insert(self.caller.clone());
        request.extensions_mut().insert(self.admission.clone());
        let Ok(mut response) = self.port.router.clone().oneshot(request).await;
        self.admission.set_stage(Stage::Idle);
        let status = response.status();
        if (self.port.grants_access)(&path, status) {
            self.admission.admit_unnamed();
        }
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.admission.set_upgraded();
        }
        let refused = status.is_client_error() || status.is_server_error();
        if refused && self.refusals.fetch_add(1, Ordering::Relaxed) + 1 >= settings::MAX_REFUSALS {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Ok(response)
    }
}

/// The client certificate. The port's verifier has checked that it names a device of this fleet.
fn certificate(stream: &TlsStream<Stream>) -> Option<PeerCertificate> {
    let leaf = stream.get_ref().1.peer_certificates()?.first()?;
    PeerCertificate::from_der(leaf).ok()
}
