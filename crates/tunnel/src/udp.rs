//! The UDP socket of the mesh: one for both families where the system has IPv6.
//!
//! - [`Socket`]: what was asked of one of our addresses is answered from that address.
//! - [`run`]: datagrams of one destination are laid side by side until they fill a run.
//! - [`asked`]: which of our addresses that is.

mod asked;
pub(crate) mod run;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use flotilla_udp::Route;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use asked::Asked;

/// What the system may hold back while a network device is busy: more than it takes in one go, and little enough that
/// senders feel a slow line.
const SEND_BUFFER: usize = 4 << 20;

/// A socket that is full this long means that the network device takes nothing.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 10_000_000,
};

/// Runs that one call takes in. More are not faster.
const RUNS: usize = 4;

/// Where runs of datagrams come in.
pub(crate) type Inbox = flotilla_udp::Inbox<RUNS>;

#[derive(Debug)]
pub(crate) struct Socket {
    socket: flotilla_udp::Socket,
    port: u16,
    asked: Asked,
}

/// What a run lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) datagrams: u64,
    /// The smallest datagram that was too large for its interface.
    pub(crate) too_large: Option<usize>,
}

impl Socket {
    /// As many runs as one call can bring.
    pub(crate) const RUNS: usize = RUNS;

    /// Takes any free port when `port` is 0.
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
            asked: Asked::default(),
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends datagrams of `size` bytes each, the last of which may be shorter. What cannot be sent is lost, as
    /// datagrams are.
    pub(crate) fn send(&mut self, destination: SocketAddr, run: &[u8], size: usize, now: Instant) -> Losses {
        let route = Route {
            remote: destination,
            local: self.asked.lookup(destination),
        };
        let mut sent = self.socket.send(route, run, size, now);
        let mut losses = Losses {
            datagrams: sent.lost,
            too_large: sent.too_large,
        };
        if sent.done < run.len() {
            // Waiting keeps the packets in the TUN's queue, where their senders notice.
            poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&PATIENCE)).ok();
            let rest = &run[sent.done..];
            sent = self.socket.send(route, rest, size, now);
            losses.datagrams += sent.lost + (rest.len() - sent.done).div_ceil(size) as u64;
            losses.too_large = [losses.too_large, sent.too_large].into_iter().flatten().min();
        }
        if sent.source_gone {
            self.asked.forget(destination);
        }
        losses
    }

    /// How many datagrams a run to this destination may have.
    pub(crate) fn longest_run(&self, destination: SocketAddr, now: Instant) -> usize {
        self.socket.longest_run(destination, now)
    }

    /// Takes in what has come, at most so many runs as there is room for.
    pub(crate) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.receive(inbox)
    }

    /// A peer or a relay, whose datagram proved that it is one, reached us by this route.
    pub(crate) fn note_asked(&mut self, route: Route) {
        self.asked.note(route);
    }

    /// Our addresses are others than before.
    pub(crate) fn forget_asked(&mut self) {
        self.asked = Asked::default();
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
