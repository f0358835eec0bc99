//! The UDP socket of the mesh: one for both families where the system has IPv6.
//!
//! - [`Socket`]: answers leave from the address of this device that the peer sent to.
//! - [`run`]: datagrams to one destination are gathered until they fill a run.
//! - [`source_addresses`]: the address of this device that each peer sent to.

pub(crate) mod run;
mod source_addresses;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use flotilla_udp::Route;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use source_addresses::SourceAddresses;

/// Bytes that the system may queue while a network device is busy: more than the device takes at once, and little
/// enough that senders notice a slow line.
const SEND_BUFFER: usize = 4 << 20;

/// When the socket is full for this long, the network device takes nothing.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 10_000_000,
};

/// Runs that one call receives; more are not faster.
const RUNS: usize = 4;

/// The buffers for received runs.
pub(crate) type Inbox = flotilla_udp::Inbox<RUNS>;

#[derive(Debug)]
pub(crate) struct Socket {
    socket: flotilla_udp::Socket,
    port: u16,
    source_addresses: SourceAddresses,
}

/// What was lost of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) datagrams: u64,
    /// The smallest datagram that was too large for its interface.
    pub(crate) too_large: Option<usize>,
}

impl Socket {
    /// The most runs that one call returns.
    pub(crate) const RUNS: usize = RUNS;

    /// Binds to `port`, or to any free port when it is 0.
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let open = |address: IpAddr| flotilla_udp::Socket::bind(SocketAddr::new(address, port), SEND_BUFFER);
        let socket = match open(Ipv6Addr::UNSPECIFIED.into()) {
            Err(error) if error.kind() != ErrorKind::AddrInUse => open(Ipv4Addr::UNSPECIFIED.into())?,
            opened => opened?,
        };
        let port = socket.local_addr()?.port();
        Ok(Self {
            socket,
            port,
            source_addresses: SourceAddresses::default(),
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends datagrams of `size` bytes each, the last of which may be shorter. Datagrams that cannot be sent are lost.
    pub(crate) fn send(&mut self, destination: SocketAddr, run: &[u8], size: usize, now: Instant) -> Losses {
        let route = Route {
            remote: destination,
            local: self.source_addresses.lookup(destination),
        };
        let mut sent = self.socket.send(route, run, size, now);
        let mut losses = Losses {
            datagrams: sent.lost,
            too_large: sent.too_large,
        };
        if sent.done < run.len() {
            // Waiting here leaves the packets in the TUN's queue, where their senders notice.
            poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&PATIENCE)).ok();
            let rest = &run[sent.done..];
            sent = self.socket.send(route, rest, size, now);
            losses.datagrams += sent.lost + (rest.len() - sent.done).div_ceil(size) as u64;
            losses.too_large = [losses.too_large, sent.too_large].into_iter().flatten().min();
        }
        if sent.source_gone {
            self.source_addresses.forget(destination);
        }
        losses
    }

    /// How many datagrams a run to this destination may have.
    pub(crate) fn longest_run(&self, destination: SocketAddr, now: Instant) -> usize {
        self.socket.longest_run(destination, now)
    }

    /// Receives what has come, up to as many runs as the inbox has buffers.
    pub(crate) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.receive(inbox)
    }

    /// An authenticated datagram of a peer or a relay came by this route.
    pub(crate) fn note_route(&mut self, route: Route) {
        self.source_addresses.note(route);
    }

    /// This device's addresses changed.
    pub(crate) fn forget_routes(&mut self) {
        self.source_addresses = SourceAddresses::default();
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
