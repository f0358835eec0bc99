//! The fleet port: an accept loop in which nobody waits for anybody.
//!
//! Life of a connection: accepted → TLS handshake → requests and answers → closed, or upgraded to a link.
//! Each step but the last has a limit, and each connection is a task of its own. The port speaks HTTP/1.1 only:
//! the link begins with an upgrade, which needs it, and an HTTP/2 preface that never comes would have no limit.

use crate::{
    caller::Caller,
    pace::{Meter, Paced},
    settings::{self, Limits},
};
use axum::{Extension, Router, body::Body};
use bytes::Bytes;
use flotilla_identity::PeerCertificate;
use http::Request;
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

type Stream = Paced<TcpStream>;

/// Binds a port with room for a fleet that comes back all at once.
///
/// # Errors
/// The address is in use or not this computer's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restarted control takes its port back while old connections are still in TIME_WAIT. On Windows the
    // option would let two programs share the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(settings::BACKLOG)
}

/// Serves `router` on the fleet port until `shutdown`, then gives open requests five seconds. Every request
/// carries a [`Caller`].
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
) {
    serve_tls_within(listener, tls, router, shutdown, Limits::default()).await;
}

pub(crate) async fn serve_tls_within(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = TaskTracker::new();
    let kill = CancellationToken::new();
    let _kill_when_dropped = kill.clone().drop_guard();
    let mut out_of_files = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_peers(&error) => continue,
            Err(error) => {
                if !std::mem::replace(&mut out_of_files, true) {
                    tracing::warn!(error = %error, "connections cannot be accepted");
                }
                sleep(settings::ACCEPT_PAUSE).await;
                continue;
            }
        };
        out_of_files = false;
        settings::tune(&stream);
        let connection = converse(
            stream,
            remote,
            acceptor.clone(),
            router.clone(),
            shutdown.clone(),
            limits,
        );
        connections.spawn(kill.clone().run_until_cancelled_owned(connection));
    }
    drop(listener);
    connections.close();
    // What is still open after that ends with this function.
    let _ = timeout(settings::DRAIN, connections.wait()).await;
}

/// An error of one connection that was gone before it was accepted, not of the port.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// One connection, from its first byte to its end.
async fn converse(
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) {
    let meter = Meter::default();
    let handshake = shake_hands(acceptor, Paced::new(stream, meter.clone()), remote, limits);
    let Some(Some(stream)) = shutdown.run_until_cancelled(handshake).await else {
        return;
    };
    let caller = Caller {
        remote,
        certificate: certificate(&stream),
    };
    let service = router
        .layer(Extension(caller))
        .map_request(move |request: Request<Incoming>| request.map(|body| in_time(body, limits.body)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(settings::HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
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

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: Stream,
    remote: SocketAddr,
    limits: Limits,
) -> Option<TlsStream<Stream>> {
    match timeout(limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(error = %error, remote = %remote, "a TLS handshake failed"),
        Err(_) => tracing::debug!(remote = %remote, "a TLS handshake took too long"),
    }
    None
}

/// The client certificate, which the verifier of this port has found to name a device of this fleet.
fn certificate(stream: &TlsStream<Stream>) -> Option<PeerCertificate> {
    let leaf = stream.get_ref().1.peer_certificates()?.first()?;
    PeerCertificate::from_der(leaf).ok()
}

fn in_time(body: Incoming, limit: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(TimedBody {
        body,
        limit: Box::pin(sleep(limit)),
    })
}

/// A request body that has to be complete within a time.
struct TimedBody {
    body: Incoming,
    limit: Pin<Box<Sleep>>,
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        std::task::ready!(self.limit.as_mut().poll(cx));
        let late = io::Error::new(io::ErrorKind::TimedOut, "the request body took too long");
        Poll::Ready(Some(Err(axum::Error::new(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
