//! The relay's UDP sockets, registered with a runtime.
//!
//! The relay needs to know no path's MTU. Its sockets forbid fragmentation for IPv4 and IPv6 wherever the system can,
//! so a datagram that is too large for a path is lost whole, and the clients find out what fits by probing sizes with
//! each other.

use crate::switchboard::{Route, Transmit};
use flotilla_udp::{Inbox, Socket};
use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use tokio::{io::Interest, net::UdpSocket};

/// Bytes that the system may queue for all clients together while a network device is busy.
const SEND_BUFFER: usize = 16 << 20;

/// Runs that are received by one call; each needs a buffer.
const RUNS: usize = 8;

/// The buffers for one call.
pub(crate) type Batch = Inbox<RUNS>;

pub(crate) struct Udp {
    socket: Socket,
    /// A second handle of the socket, by which the runtime waits until it is readable or writable.
    readiness: UdpSocket,
    /// Sending fails and the log has a warning about it; later failures are not logged.
    failing: AtomicBool,
}

impl Udp {
    /// Binds a socket and registers it with the current runtime.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::bind(address, SEND_BUFFER)?;
        Ok(Self {
            readiness: UdpSocket::from_std(socket.handle()?)?,
            socket,
            failing: AtomicBool::new(false),
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.readiness.readable().await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.readiness.writable().await
    }

    /// Receives what has come, up to a batch; `WouldBlock` when the socket is empty.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let receive = || self.socket.receive(batch);
        self.readiness.try_io(Interest::READABLE, receive)
    }

    /// Sends a run in as few calls as the kernel allows. Returns how many bytes are done with; less than all when the
    /// socket is full.
    pub(crate) fn send(&self, to: Route, run: &[u8], segment: usize) -> usize {
        let mut done = 0;
        let sent = self.readiness.try_io(Interest::WRITABLE, || {
            let sent = self.socket.send(to, run, segment, Instant::now());
            done = sent.done;
            // The runtime waits until the socket is writable only after this error.
            if sent.done < run.len() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(sent)
        });
        let Ok(sent) = sent else { return done };
        match sent.error {
            Some(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, remote = %to.remote, "datagrams cannot be sent");
            }
            Some(_) => {}
            None => self.failing.store(false, Ordering::Relaxed),
        }
        done
    }

    pub(crate) fn send_all(&self, transmit: &Transmit) -> usize {
        self.send(transmit.to, &transmit.bytes, transmit.segment)
    }
}
