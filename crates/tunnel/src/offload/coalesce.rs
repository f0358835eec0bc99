//! Joins packets from the wire into runs for the kernel.
//!
//! Life cycle: a packet is decrypted into [`Coalescer::space`] and [`taken`](Coalescer::take) there; when it continues
//! the open run it joins it, else the open run is written and the packet begins another. [`flush`](Coalescer::flush)
//! writes the last one. A run is a list of pieces: a `virtio_net_hdr`, the first packet with its headers changed, and
//! the payloads of the others, all where they were decrypted.
//!
//! Only the open run's flow is considered, because the peer sends whole runs too, so packets of one flow come
//! together. Checksums are verified before a packet joins, because the kernel trusts those of a run.

mod merge;

use std::io::IoSlice;

use flotilla_wire::packet::{self, Layout};

use super::{LARGEST_PACKET, RunKind, VirtioHeader};
use merge::Run;

/// More pieces than this gain no speed, and one `writev` takes at most 1024.
const MAX_PIECES: usize = 128;

/// Three of the largest runs that a socket returns at once.
const ARENA: usize = 4 * 65_536;

/// Writes the pieces of one packet or run, the `virtio_net_hdr` first.
pub(crate) trait Sink {
    fn write(&mut self, pieces: &[IoSlice<'_>]);
}

impl<F: FnMut(&[IoSlice<'_>])> Sink for F {
    fn write(&mut self, pieces: &[IoSlice<'_>]) {
        self(pieces);
    }
}

#[derive(Debug)]
pub(crate) struct Coalescer {
    arena: Box<[u8]>,
    used: usize,
    run: Option<Run>,
    joins: Joins,
}

/// Which packets may be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    Nothing,
    Tcp,
    TcpAndUdp,
}

impl Coalescer {
    pub(crate) fn new(joins: Joins) -> Self {
        Self {
            arena: vec![0; ARENA].into_boxed_slice(),
            used: 0,
            run: None,
            joins,
        }
    }

    pub(crate) fn joins(&self) -> Joins {
        self.joins
    }

    /// Reacts to a kernel that refused a kind of run that it had announced.
    pub(crate) fn join_less(&mut self) {
        self.joins = match self.joins {
            Joins::TcpAndUdp => Joins::Tcp,
            Joins::Tcp | Joins::Nothing => Joins::Nothing,
        };
    }

    /// Space for one more packet of any size.
    pub(crate) fn space(&mut self, sink: &mut impl Sink) -> &mut [u8] {
        if self.used + LARGEST_PACKET > self.arena.len() {
            self.flush(sink);
        }
        &mut self.arena[self.used..]
    }

    /// Takes the packet that was put at the beginning of [`Self::space`].
    pub(crate) fn take(&mut self, length: usize, sink: &mut impl Sink) {
        let start = self.used;
        let end = (start + length).min(self.arena.len());
        self.used = end;
        let packet = &self.arena[start..end];
        let joinable = Layout::lookup(packet).filter(|layout| self.may_join(packet, layout));
        let Some(layout) = joinable else {
            self.hand_out(sink);
            write_single(&self.arena[start..end], sink);
            return;
        };
        if let Some(run) = &mut self.run
            && run.join(&self.arena, start, end, &layout)
        {
            if !run.goes_on() {
                self.hand_out(sink);
            }
            return;
        }
        self.hand_out(sink);
        self.run = Some(Run::begin(start, end, layout));
    }

    /// Writes the open run, and frees all of the space.
    pub(crate) fn flush(&mut self, sink: &mut impl Sink) {
        self.hand_out(sink);
        self.used = 0;
    }

    fn may_join(&self, packet: &[u8], layout: &Layout) -> bool {
        let wanted = match layout.protocol {
            packet::TCP => self.joins != Joins::Nothing,
            _ => self.joins == Joins::TcpAndUdp,
        };
        wanted && merge::is_plain(packet, layout)
    }

    fn hand_out(&mut self, sink: &mut impl Sink) {
        let Some(run) = self.run.take() else { return };
        let header = run.finish(&mut self.arena).to_bytes();
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES + 1];
        pieces[0] = IoSlice::new(&header);
        let mut count = 1;
        for (piece, range) in pieces[1..].iter_mut().zip(run.pieces()) {
            *piece = IoSlice::new(&self.arena[range]);
            count += 1;
        }
        sink.write(&pieces[..count]);
    }
}

/// Writes a packet unchanged.
pub(crate) fn write_single(packet: &[u8], sink: &mut impl Sink) {
    let header = VirtioHeader::SINGLE.to_bytes();
    sink.write(&[IoSlice::new(&header), IoSlice::new(packet)]);
}

impl RunKind {
    fn of(layout: &Layout) -> Self {
        match (layout.protocol, layout.is_v6) {
            (packet::TCP, false) => Self::Tcp4,
            (packet::TCP, true) => Self::Tcp6,
            _ => Self::Udp,
        }
    }
}
