//! The places of an IP packet's parts. Reads nothing beyond the packet, even where its length fields say more.

use super::checksum::Sum;
use super::{Place, TCP, UDP, network};
use std::ops::Range;

/// Offsets into the TCP header (RFC 9293 §3.1).
pub const TCP_SEQUENCE: usize = 4;
pub const TCP_FLAGS: usize = 13;
pub const TCP_CHECKSUM: usize = 16;

/// Offsets into the UDP header (RFC 768).
pub const UDP_LENGTH: usize = 4;
pub const UDP_CHECKSUM: usize = 6;
pub const UDP_HEADER: usize = 8;

const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;

/// The layout of a TCP or UDP packet that is not a fragment and whose headers are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub is_v6: bool,
    pub protocol: u8,
    /// The offset of the TCP or UDP header.
    pub transport: usize,
    pub payload: usize,
}

impl Layout {
    /// `None` for any other packet, also for one with IPv6 extension headers, which runs never have.
    pub fn lookup(packet: &[u8]) -> Option<Self> {
        let network = network(packet)?;
        let (is_v6, protocol, transport) = (network.source.is_ipv6(), network.protocol, network.offset);
        let is_run = network.place == Place::Whole && (!is_v6 || transport == IPV6_HEADER);
        is_run.then_some(())?;
        let payload = match protocol {
            TCP if packet.len() >= transport + TCP_HEADER => {
                let header = usize::from(packet[transport + 12] >> 4) * 4;
                (header >= TCP_HEADER).then_some(transport + header)?
            }
            UDP => transport + UDP_HEADER,
            _ => return None,
        };
        (payload <= packet.len()).then_some(Self {
            is_v6,
            protocol,
            transport,
            payload,
        })
    }

    /// The bytes of the source and destination address.
    pub fn addresses(&self) -> Range<usize> {
        if self.is_v6 { 8..40 } else { 12..20 }
    }

    /// The offset of the transport part's checksum.
    pub fn checksum(&self) -> usize {
        let offset = if self.protocol == TCP {
            TCP_CHECKSUM
        } else {
            UDP_CHECKSUM
        };
        self.transport + offset
    }
}

/// The length that the IP header states; `packet` must be as long as an IP header.
pub fn claimed_length(packet: &[u8], is_v6: bool) -> usize {
    if is_v6 {
        IPV6_HEADER + usize::from(u16::from_be_bytes([packet[4], packet[5]]))
    } else {
        usize::from(u16::from_be_bytes([packet[2], packet[3]]))
    }
}

/// Sets the length in the IP header to `length` for the whole packet, and finishes an IPv4 header's own checksum.
pub fn set_length(packet: &mut [u8], layout: &Layout, length: usize) {
    let claimed = if layout.is_v6 {
        length - IPV6_HEADER
    } else {
        length
    };
    let at = if layout.is_v6 { 4 } else { 2 };
    let claimed = u16::try_from(claimed).unwrap_or(u16::MAX);
    packet[at..at + 2].copy_from_slice(&claimed.to_be_bytes());
    if !layout.is_v6 {
        packet[10..12].fill(0);
        let sum = Sum::default().plus(&packet[..layout.transport]);
        packet[10..12].copy_from_slice(&sum.finish());
    }
}

pub fn tcp_sequence(packet: &[u8], layout: &Layout) -> u32 {
    let at = layout.transport + TCP_SEQUENCE;
    let bytes = packet[at..].first_chunk().copied().unwrap_or_default();
    u32::from_be_bytes(bytes)
}
