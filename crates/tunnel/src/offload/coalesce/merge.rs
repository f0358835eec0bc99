//! When two packets may become one, and how the headers of the first change.

use std::ops::Range;

use flotilla_wire::packet::checksum::Sum;
use flotilla_wire::packet::layout::{
    self, Layout, TCP_FLAGS, TCP_SEQUENCE, UDP_CHECKSUM, UDP_LENGTH, claimed_length, tcp_sequence,
};
use flotilla_wire::packet::{ACK, PSH, TCP};

use super::{LARGEST_PACKET, MAX_PIECES, RunKind, VirtioHeader};

/// Packets of one flow, one after the other in the arena or with gaps.
#[derive(Debug)]
pub(super) struct Run {
    layout: Layout,
    first: Range<usize>,
    /// The places of the other packets' payloads.
    others: [(u32, u32); MAX_PIECES],
    count: usize,
    /// Payload of the first packet, and so of each but the last, in bytes.
    size: usize,
    /// Payload of all packets, in bytes.
    payload: usize,
    push: bool,
    /// The run takes no more packets, because one was shorter or had the push flag.
    ended: bool,
}

/// Whether the packet may be part of a run: it has a payload, nothing in its headers that a run cannot express, and a
/// correct checksum.
pub(super) fn is_plain(packet: &[u8], layout: &Layout) -> bool {
    let plain = if layout.protocol == TCP {
        packet[layout.transport + TCP_FLAGS] & !PSH == ACK
    } else {
        let at = layout.transport + UDP_CHECKSUM;
        packet[at..at + 2] != [0, 0]
    };
    // Packets with options in the IPv4 header are rare, and are not joined.
    let known = layout.is_v6 || layout.transport == 20;
    plain
        && known
        && packet.len() > layout.payload
        && claimed_length(packet, layout.is_v6) == packet.len()
        && has_right_lengths(packet, layout)
        && has_right_checksums(packet, layout)
}

fn has_right_lengths(packet: &[u8], layout: &Layout) -> bool {
    let at = layout.transport + UDP_LENGTH;
    layout.protocol == TCP
        || usize::from(u16::from_be_bytes([packet[at], packet[at + 1]])) == packet.len() - layout.transport
}

fn has_right_checksums(packet: &[u8], layout: &Layout) -> bool {
    let transport = &packet[layout.transport..];
    let sum = Sum::pseudo_header(packet, layout, transport.len()).plus(transport);
    let header = layout.is_v6 || Sum::default().plus(&packet[..layout.transport]).is_right();
    header && sum.is_right()
}

impl Run {
    pub(super) fn begin(start: usize, end: usize, layout: Layout) -> Self {
        let size = end - start - layout.payload;
        Self {
            layout,
            first: start..end,
            others: [(0, 0); MAX_PIECES],
            count: 1,
            size,
            payload: size,
            push: false,
            ended: false,
        }
    }

    pub(super) fn goes_on(&self) -> bool {
        !self.ended && self.count < MAX_PIECES
    }

    /// Adds the packet at `start..end` when it continues the run.
    pub(super) fn join(&mut self, arena: &[u8], start: usize, end: usize, layout: &Layout) -> bool {
        let [first, packet] = [&arena[self.first.clone()], &arena[start..end]];
        let size = packet.len() - layout.payload;
        let total = self.layout.payload + self.payload + size;
        let fits = self.goes_on() && size <= self.size && total <= LARGEST_PACKET;
        if !fits || *layout != self.layout || !self.same_flow(first, packet) {
            return false;
        }
        if layout.protocol == TCP {
            // A first packet with the push flag has ended the run before another can join.
            let pushed = |packet: &[u8]| packet[layout.transport + TCP_FLAGS] & PSH != 0;
            let expected =
                tcp_sequence(first, layout).wrapping_add(u32::try_from(self.payload).unwrap_or_default());
            if tcp_sequence(packet, layout) != expected || pushed(first) {
                return false;
            }
            self.push = pushed(packet);
        }
        let range = |at: usize| u32::try_from(at).unwrap_or_default();
        self.others[self.count - 1] = (range(start + layout.payload), range(end));
        self.count += 1;
        self.payload += size;
        self.ended = size < self.size || self.push;
        true
    }

    /// Whether all header fields but lengths, identification, sequence number, push flag and checksums are equal.
    fn same_flow(&self, first: &[u8], packet: &[u8]) -> bool {
        let Layout {
            is_v6,
            transport,
            payload,
            protocol,
        } = self.layout;
        let equal = |range: Range<usize>| first[range.clone()] == packet[range];
        let ip = if is_v6 {
            // Traffic class, flow label; next header, hop limit, addresses.
            equal(0..4) && equal(6..40)
        } else {
            // Version, type of service; flags, time to live, protocol; addresses.
            equal(0..2) && equal(6..10) && equal(12..20)
        };
        let rest = if protocol == TCP {
            // Ports; acknowledgment and data offset; window; urgent pointer and options.
            equal(transport..transport + TCP_SEQUENCE)
                && equal(transport + 8..transport + TCP_FLAGS)
                && equal(transport + 14..transport + 16)
                && equal(transport + 18..payload)
        } else {
            equal(transport..transport + UDP_LENGTH)
        };
        ip && rest
    }

    /// Turns the headers of the first packet into those of the run; returns the run's `virtio_net_hdr`.
    pub(super) fn finish(&self, arena: &mut [u8]) -> VirtioHeader {
        if self.count == 1 {
            return VirtioHeader::SINGLE;
        }
        let layout = &self.layout;
        let packet = &mut arena[self.first.clone()];
        let total = layout.payload + self.payload;
        let length = total - layout.transport;
        layout::set_length(packet, layout, total);
        if layout.protocol == TCP {
            if self.push {
                packet[layout.transport + TCP_FLAGS] |= PSH;
            }
        } else {
            let at = layout.transport + UDP_LENGTH;
            packet[at..at + 2].copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
        let at = layout.checksum();
        let partial = Sum::pseudo_header(packet, layout, length).partial();
        packet[at..at + 2].copy_from_slice(&partial);
        let word = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        VirtioHeader {
            kind: RunKind::of(layout),
            needs_checksum: true,
            headers: word(layout.payload),
            segment: word(self.size),
            checksum_start: word(layout.transport),
            checksum_offset: word(at - layout.transport),
        }
    }

    /// The places of the run's pieces, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Range<usize>> {
        let others = self.others[..self.count - 1].iter();
        std::iter::once(self.first.clone()).chain(others.map(|(start, end)| *start as usize..*end as usize))
    }
}
