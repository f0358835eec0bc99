//! Ports: accept loops in which no connection waits for another.
//!
//! Life of a connection: accepted, with a place among strangers → TLS handshake, on the fleet port → requests and
//! answers, see [`crate::connection`] → closed, or upgraded. Each step but the last has a limit, and each connection is a
//! task of its own. Ports speak HTTP/1.1 only: the link begins with an upgrade, which needs it, and an HTTP/2 preface
//! that never comes would have no limit.

use crate::{
    capacity::{self, Capacity},
    connection::{Port, serve_connection},
    places::Places,
    settings::{self, Limits},
};
use axum::Router;
use http::StatusCode;
use rustls::ServerConfig;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::OwnedSemaphorePermit,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Binds a port with room for a fleet that comes back all at once, whose connections pass through narrow networks.
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
    // Those that are accepted have it from here; a system without it sends what its interface carries.
    #[cfg(unix)]
    let _ = socket2::SockRef::from(&socket).set_tcp_mss(settings::SEGMENT);
    socket.bind(address)?;
    socket.listen(settings::BACKLOG)
}

/// Serves `router` on the fleet port until `shutdown`, then gives open requests five seconds. Every request
/// carries a [`crate::Caller`] and a [`crate::Admission`].
///
/// A connection with a certificate of the fleet, or with a successful answer, becomes a guest. The others are
/// strangers: they share the places for strangers and stay for a minute at most.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
) {
    let capacity = Capacity::of_fleet_port(capacity::files());
    serve_tls_within(listener, tls, router, shutdown, (Limits::default(), capacity)).await;
}

pub(crate) async fn serve_tls_within(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
    (limits, capacity): (Limits, Capacity),
) {
    let port = Port {
        tls: Some(TlsAcceptor::from(tls)),
        router,
        grants_access: |_, status| status.is_success(),
        limits,
    };
    serve(listener, port, capacity, shutdown).await;
}

/// Serves `router` without TLS to this computer alone until `shutdown`, then gives open requests five seconds.
///
/// A connection becomes a guest by a successful answer of the API, upgrades included. Pages and their files do not
/// count, because every program on this computer is served those.
pub async fn serve_local(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let capacity = Capacity::of_local_port(capacity::files());
    serve_local_within(listener, router, shutdown, (Limits::local(), capacity)).await;
}

pub(crate) async fn serve_local_within(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    (limits, capacity): (Limits, Capacity),
) {
    let port = Port {
        tls: None,
        router,
        grants_access: |path, status| {
            path.starts_with("/api/") && (status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS)
        },
        limits,
    };
    serve(listener, port, capacity, shutdown).await;
}

async fn serve(listener: TcpListener, port: Port, capacity: Capacity, shutdown: CancellationToken) {
    let places = Places::new(capacity);
    let connections = TaskTracker::new();
    let kill = CancellationToken::new();
    let _kill_when_dropped = kill.clone().drop_guard();
    let mut out_of_files = false;
    let mut overdue_check = interval(settings::OVERDUE_CHECK);
    overdue_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = overdue_check.tick() => {
                places.end_overdue(port.limits.stranger, Instant::now());
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        let (stream, remote, socket) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
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
        let (place, cut) = places.take(socket, remote.ip(), Instant::now());
        let connection = serve_connection(
            stream,
            remote,
            (place, cut.clone()),
            port.clone(),
            shutdown.clone(),
        );
        let connection = cut.run_until_cancelled_owned(connection);
        connections.spawn(kill.clone().run_until_cancelled_owned(connection));
        // The new connection takes its first step before the next one is accepted, which may evict it.
        yield_now().await;
    }
    drop(listener);
    connections.close();
    // Connections that are still open after that end with this function.
    let _ = timeout(settings::DRAIN, connections.wait()).await;
}

type Accepted = (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>);

/// The next connection, once there may be one more.
async fn accept(listener: &TcpListener, places: &Places) -> io::Result<Accepted> {
    let socket = places.socket().await;
    let (stream, remote) = listener.accept().await?;
    Ok((stream, remote, socket))
}

/// Whether an error is of one connection that was gone before it was accepted, and not of the port.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
