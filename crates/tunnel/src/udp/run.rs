//! Gathers datagrams of one destination and size, so that one call sends them all.
//!
//! Life cycle: a datagram is built in [`Outbox::space`] and [`add`](Outbox::add)ed; when it cannot join the open run,
//! that run is sent first and the datagram begins another. [`flush`](Outbox::flush) sends the last one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::Socket;

/// The most that one call can send to an IPv4 address: the largest UDP payload.
const LARGEST_RUN: usize = 65_507;

/// The largest datagram: a packet of the largest size with all its headers.
const LARGEST_DATAGRAM: usize = 65_536 + 256;

#[derive(Debug)]
pub(crate) struct Outbox {
    buffer: Box<[u8]>,
    run: Option<Run>,
    /// Datagrams that the socket did not take.
    unsent: u64,
    /// The smallest datagram that was too large for the path's first interface, by destination.
    too_large: BTreeMap<SocketAddr, usize>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    destination: SocketAddr,
    /// Length of each datagram but the last.
    size: usize,
    length: usize,
    /// How many more datagrams may join.
    room: usize,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; LARGEST_RUN + LARGEST_DATAGRAM].into_boxed_slice(),
            run: None,
            unsent: 0,
            too_large: BTreeMap::new(),
        }
    }

    /// Space for one more datagram of any size.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[self.run.map_or(0, |run| run.length)..]
    }

    /// Adds the datagram that was put at the beginning of [`Self::space`].
    pub(crate) fn add(&mut self, length: usize, destination: SocketAddr, socket: &mut Socket, now: Instant) {
        if let Some(run) = &mut self.run {
            let joins = run.destination == destination && run.room > 0 && length <= run.size;
            if joins && run.length + length <= LARGEST_RUN {
                run.length += length;
                // A run ends with a datagram that is shorter than the others.
                run.room = if length < run.size { 0 } else { run.room - 1 };
                return;
            }
            let start = run.length;
            self.flush(socket, now);
            self.buffer.copy_within(start..start + length, 0);
        }
        self.run = Some(Run {
            destination,
            size: length,
            length,
            room: socket.longest_run(destination, now).saturating_sub(1),
        });
    }

    /// Gives the datagram at the beginning of [`Self::space`], which the caller sends by another leg.
    pub(crate) fn set_aside(&mut self, length: usize) -> &[u8] {
        let start = self.run.map_or(0, |run| run.length);
        &self.buffer[start..start + length]
    }

    pub(crate) fn flush(&mut self, socket: &mut Socket, now: Instant) {
        let Some(run) = self.run.take() else { return };
        let lost = socket.send(run.destination, &self.buffer[..run.length], run.size, now);
        self.unsent += lost.datagrams;
        if let Some(length) = lost.too_large {
            let least = self.too_large.entry(run.destination).or_insert(length);
            *least = length.min(*least);
        }
    }

    /// A destination whose datagram was too large for the interface, and the datagram's length.
    pub(crate) fn poll_too_large(&mut self) -> Option<(SocketAddr, usize)> {
        self.too_large.pop_first()
    }

    pub(crate) fn unsent(&self) -> u64 {
        self.unsent
    }
}
