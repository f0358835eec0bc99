//! The relay's UDP sockets, for a runtime to wait on.
//!
//! A relay does not know what the paths to its clients carry, and it need not: nothing is fragmented on its way, so
//! what is too large for a path is lost whole, and the clients, who try sizes with each other, learn what fits.

use crate::switchboard::{Route, Transmit};
use flotilla_udp::{Inbox, Socket};
use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use tokio::{io::Interest, net::UdpSocket};

/// What the system may hold back for all clients together while a network device is busy.
const SEND_BUFFER: usize = 16 << 20;

/// Runs that are received by one call. Each needs a buffer.
const RUNS: usize = 8;

/// Room for what one call receives.
pub(crate) type Batch = Inbox<RUNS>;

pub(crate) struct Udp {
    socket: Socket,
    /// Tells when that socket has something, or has room.
    readiness: UdpSocket,
    /// Sending failed, and the log knows.
    failing: AtomicBool,
}

impl Udp {
    /// Binds a socket and hands it to the current runtime.
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

    /// Receives what is there, up to a batch; `WouldBlock` when there is nothing.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let receive = || self.socket.receive(batch);
        self.readiness.try_io(Interest::READABLE, receive)
    }

    /// Sends a run in as few calls as the kernel allows. How many bytes are done with; less than all when the socket is
    /// full.
    pub(crate) fn send(&self, to: Route, run: &[u8], segment: usize) -> usize {
        let mut done = 0;
        let sent = self.readiness.try_io(Interest::WRITABLE, || {
            let sent = self.socket.send(to, run, segment, Instant::now());
            done = sent.done;
            // The runtime waits for room only after this error.
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
