//! Cuts one frame from the TUN device into packets for the wire.
//!
//! No payload is moved: the headers of the next packet are written right before its payload, over bytes of the packet
//! before it, which is sealed and sent by then. The borrow of each packet ensures that it is used up before the next
//! is asked for.

use flotilla_wire::packet::checksum::Sum;
use flotilla_wire::packet::layout::{self, Layout, TCP_FLAGS, TCP_SEQUENCE, UDP_CHECKSUM, UDP_LENGTH};
use flotilla_wire::packet::{CWR, FIN, PSH, TCP, UDP};

use super::{Malformed, RunKind, VirtioHeader};

/// IPv4 with all options (60) and TCP with all options (60).
const LONGEST_HEADERS: usize = 120;

/// The packets of one frame.
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    frame: &'a mut [u8],
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// A single packet that is ready.
    Single,
    Run(Run),
    Done,
}

#[derive(Debug)]
struct Run {
    layout: Layout,
    headers: [u8; LONGEST_HEADERS],
    /// Payload bytes per packet.
    size: usize,
    /// Packets that were cut, and where the payload of the next one begins.
    count: u16,
    next: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(header: &VirtioHeader, frame: &'a mut [u8]) -> Result<Self, Malformed> {
        let shape = match header.kind {
            RunKind::Single => {
                if header.needs_checksum {
                    finish_checksum(header, frame)?;
                }
                Shape::Single
            }
            kind => Shape::Run(Run::new(kind, header.segment, frame)?),
        };
        Ok(Self { frame, shape })
    }

    /// The headers that all packets share, or the single packet, and the length of the longest packet.
    pub(crate) fn headers(&mut self) -> (&mut [u8], usize) {
        match &mut self.shape {
            Shape::Run(run) => {
                let longest = (run.layout.payload + run.size).min(self.frame.len());
                (&mut run.headers[..run.layout.payload], longest)
            }
            Shape::Single | Shape::Done => {
                let length = self.frame.len();
                (self.frame, length)
            }
        }
    }

    pub(crate) fn next(&mut self) -> Option<&mut [u8]> {
        match &mut self.shape {
            Shape::Done => None,
            Shape::Single => {
                self.shape = Shape::Done;
                Some(self.frame)
            }
            Shape::Run(run) if run.next < self.frame.len() => Some(run.cut(self.frame)),
            Shape::Run(_) => None,
        }
    }
}

impl Run {
    fn new(kind: RunKind, size: u16, frame: &[u8]) -> Result<Self, Malformed> {
        let layout = Layout::lookup(frame).ok_or(Malformed)?;
        let fits = match kind {
            RunKind::Tcp4 => layout.protocol == TCP && !layout.is_v6,
            RunKind::Tcp6 => layout.protocol == TCP && layout.is_v6,
            RunKind::Udp => layout.protocol == UDP,
            RunKind::Single => false,
        };
        if !fits || size == 0 || layout.payload > LONGEST_HEADERS {
            return Err(Malformed);
        }
        let mut headers = [0; LONGEST_HEADERS];
        headers[..layout.payload].copy_from_slice(&frame[..layout.payload]);
        Ok(Self {
            layout,
            headers,
            size: usize::from(size),
            count: 0,
            next: layout.payload,
        })
    }

    fn cut<'f>(&mut self, frame: &'f mut [u8]) -> &'f mut [u8] {
        let Layout {
            payload, transport, ..
        } = self.layout;
        let end = (self.next + self.size).min(frame.len());
        let is_last = end == frame.len();
        let packet = &mut frame[self.next - payload..end];
        packet[..payload].copy_from_slice(&self.headers[..payload]);
        if !self.layout.is_v6 {
            let id = u16::from_be_bytes([packet[4], packet[5]]).wrapping_add(self.count);
            packet[4..6].copy_from_slice(&id.to_be_bytes());
        }
        layout::set_length(packet, &self.layout, packet.len());
        if self.layout.protocol == TCP {
            let offset = u32::try_from(self.next - payload).unwrap_or_default();
            let sequence = layout::tcp_sequence(packet, &self.layout).wrapping_add(offset);
            let at = transport + TCP_SEQUENCE;
            packet[at..at + 4].copy_from_slice(&sequence.to_be_bytes());
            let flags = &mut packet[transport + TCP_FLAGS];
            if !is_last {
                *flags &= !(FIN | PSH);
            }
            if self.count > 0 {
                *flags &= !CWR;
            }
        } else {
            let length = u16::try_from(packet.len() - transport).unwrap_or(u16::MAX);
            let at = transport + UDP_LENGTH;
            packet[at..at + 2].copy_from_slice(&length.to_be_bytes());
        }
        write_checksum(packet, &self.layout);
        self.next = end;
        self.count = self.count.wrapping_add(1);
        packet
    }
}

/// Writes the whole checksum of a TCP or UDP packet.
fn write_checksum(packet: &mut [u8], layout: &Layout) {
    let at = layout.checksum();
    packet[at..at + 2].fill(0);
    let length = packet.len() - layout.transport;
    let sum = Sum::pseudo_header(packet, layout, length).plus(&packet[layout.transport..]);
    let checksum = never_zero(sum.finish(), layout.protocol == UDP);
    packet[at..at + 2].copy_from_slice(&checksum);
}

/// Adds the transport part to the checksum field, which holds the pseudo header's sum.
fn finish_checksum(header: &VirtioHeader, packet: &mut [u8]) -> Result<(), Malformed> {
    let start = usize::from(header.checksum_start);
    let at = start + usize::from(header.checksum_offset);
    if at + 2 > packet.len() {
        return Err(Malformed);
    }
    let is_udp = header.checksum_offset == UDP_CHECKSUM as u16;
    let checksum = never_zero(Sum::default().plus(&packet[start..]).finish(), is_udp);
    packet[at..at + 2].copy_from_slice(&checksum);
    Ok(())
}

/// A UDP checksum of zero means that there is none, so a sum of zero is written as its complement (RFC 768).
fn never_zero(checksum: [u8; 2], is_udp: bool) -> [u8; 2] {
    if is_udp && checksum == [0, 0] {
        [0xff, 0xff]
    } else {
        checksum
    }
}
