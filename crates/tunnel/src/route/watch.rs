//! Says that links, addresses or routes changed, once the kernel has stopped saying so.
//!
//! Life cycle: [`Watch::open`]; when its socket is readable, [`handle_readable`](Watch::handle_readable); at
//! [`poll_timeout`](Watch::poll_timeout) the change is [`due`](Watch::take_due), and the watch waits for the next.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// Groups of `rtnetlink.h`: link, IPv4 address, IPv4 route, IPv6 address, IPv6 route.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// A cable that is plugged in makes a dozen messages: it is looked at when they are over.
const SETTLE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Watch {
    socket: Socket,
    due: Option<Instant>,
}

impl Watch {
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind(&SocketAddr::new(0, GROUPS))?;
        socket.set_non_blocking(true)?;
        Ok(Self { socket, due: None })
    }

    pub(crate) fn handle_readable(&mut self, now: Instant) {
        let mut buffer = Vec::with_capacity(65_536);
        // An error counts as a change too: it means that messages were lost.
        while self.socket.recv(&mut buffer, 0).is_ok() {
            buffer.clear();
        }
        // Not put off again, so that a network that never rests is looked at too.
        self.due.get_or_insert(now + SETTLE);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
