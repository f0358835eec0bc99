//! Reports changes of links, addresses, routes or filters: once for all that the kernel reports within [`SETTLE`].
//!
//! Life cycle: [`Watch::open`]; when a socket is readable, [`handle_readable`](Watch::handle_readable); at
//! [`poll_timeout`](Watch::poll_timeout) the change is [`due`](Watch::take_due), and the watch waits for the next.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use netlink_sys::{Socket, SocketAddr};

/// Groups of `rtnetlink.h`: link, IPv4 address, IPv4 route, IPv4 rule, IPv6 address, IPv6 route.
const NETWORKS: u32 = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;

/// Group 7 of `nfnetlink.h`: rules of nftables. The kernel reports no changes of other filters.
const FILTERS: u32 = 0x40;

/// Plugging in a cable causes a dozen messages, which are so reported as one change.
const SETTLE: Duration = Duration::from_millis(250);

/// What changed since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Networks,
    /// Filters, and no network.
    Filters,
}

#[derive(Debug)]
pub(crate) struct Watch {
    networks: Socket,
    /// Absent where the system has no nftables, or does not let this program watch them.
    filters: Option<Socket>,
    due: Option<(Instant, Change)>,
}

impl Watch {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            networks: listen(NETLINK_ROUTE, NETWORKS)?,
            filters: listen(NETLINK_NETFILTER, FILTERS).ok(),
            due: None,
        })
    }

    /// The sockets to poll for reading.
    pub(crate) fn sources(&self) -> [BorrowedFd<'_>; 2] {
        let networks = self.networks.as_fd();
        [networks, self.filters.as_ref().map_or(networks, AsFd::as_fd)]
    }

    pub(crate) fn handle_readable(&mut self, now: Instant) {
        let change = match (drain(&self.networks), self.filters.as_ref().is_some_and(drain)) {
            (true, _) => Change::Networks,
            (false, true) => Change::Filters,
            (false, false) => return,
        };
        // Later messages do not delay the report, so that it comes even when messages never stop.
        let (due, before) = self.due.unwrap_or((now + SETTLE, change));
        let is_of_networks = [before, change].contains(&Change::Networks);
        self.due = Some((due, if is_of_networks { Change::Networks } else { change }));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due.map(|(due, _)| due)
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Change> {
        self.due.take_if(|(due, _)| *due <= now).map(|(_, change)| change)
    }
}

fn listen(protocol: isize, groups: u32) -> io::Result<Socket> {
    let mut socket = Socket::new(protocol)?;
    socket.bind(&SocketAddr::new(0, groups))?;
    socket.set_non_blocking(true)?;
    Ok(socket)
}

/// Empties the socket; returns whether there was anything. An error counts, because it means that messages were lost.
fn drain(socket: &Socket) -> bool {
    let mut buffer = Vec::with_capacity(65_536);
    let mut found = false;
    loop {
        match socket.recv(&mut buffer, 0) {
            Ok(_) => buffer.clear(),
            Err(error) => return found || error.kind() != io::ErrorKind::WouldBlock,
        }
        found = true;
    }
}
