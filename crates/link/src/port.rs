//! Ports: an accept loop in which nobody waits for anybody.
//!
//! Life of a connection: accepted, with a place among strangers → TLS handshake, on the fleet port → requests and
//! answers, see [`crate::visit`] → closed, or upgraded. Each step but the last has a limit, and each connection is a
//! task of its own. Ports speak HTTP/1.1 only: the link begins with an upgrade, which needs it, and an HTTP/2 preface
//! that never comes would have no limit.

use crate::{
    places::Places,
    room::{self, Room},
    settings::{self, Limits},
    visit::{Port, converse},
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
/// carries a [`crate::Caller`] and a [`crate::Standing`].
///
/// Whoever shows a certificate of the fleet, or is answered with a success, is a stranger no longer. The others share
/// the room that they may have, and stay for a minute at most.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
) {
    let room = Room::of_fleet_port(room::files());
    serve_tls_within(listener, tls, router, shutdown, (Limits::default(), room)).await;
}

pub(crate) async fn serve_tls_within(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    shutdown: CancellationToken,
    (limits, room): (Limits, Room),
) {
    let port = Port {
        tls: Some(TlsAcceptor::from(tls)),
        router,
        counts: |_, status| status.is_success(),
        limits,
    };
    serve(listener, port, room, shutdown).await;
}

/// Serves `router` without TLS to this computer alone until `shutdown`, then gives open requests five seconds.
///
/// What counts here is an answer of the API that is no refusal, upgrades included: pages and their files are for
/// everybody on this computer.
pub async fn serve_local(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let room = Room::of_local_port(room::files());
    serve_local_within(listener, router, shutdown, (Limits::local(), room)).await;
}

pub(crate) async fn serve_local_within(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    (limits, room): (Limits, Room),
) {
    let port = Port {
        tls: None,
        router,
        counts: |path, status| {
            path.starts_with("/api/") && (status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS)
        },
        limits,
    };
    serve(listener, port, room, shutdown).await;
}

async fn serve(listener: TcpListener, port: Port, room: Room, shutdown: CancellationToken) {
    let places = Places::new(room);
    let connections = TaskTracker::new();
    let kill = CancellationToken::new();
    let _kill_when_dropped = kill.clone().drop_guard();
    let mut out_of_files = false;
    let mut look = interval(settings::LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = look.tick() => {
                places.end_overdue(port.limits.stranger, Instant::now());
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        let (stream, remote, socket) = match accepted {
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
        let (place, cut) = places.take(socket, remote.ip(), Instant::now());
        let connection = converse(
            stream,
            remote,
            (place, cut.clone()),
            port.clone(),
            shutdown.clone(),
        );
        let connection = cut.run_until_cancelled_owned(connection);
        connections.spawn(kill.clone().run_until_cancelled_owned(connection));
        // Whoever has come is heard before the next one comes, who may need its place.
        yield_now().await;
    }
    drop(listener);
    connections.close();
    // What is still open after that ends with this function.
    let _ = timeout(settings::DRAIN, connections.wait()).await;
}

type Accepted = (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>);

/// The next connection, once there may be one more.
async fn accept(listener: &TcpListener, places: &Places) -> io::Result<Accepted> {
    let socket = places.socket().await;
    let (stream, remote) = listener.accept().await?;
    Ok((stream, remote, socket))
}

/// An error of one connection that was gone before it was accepted, not of the port.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
