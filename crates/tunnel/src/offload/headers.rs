//! Where the parts of an IP packet are. Reads nothing beyond the packet, whatever it claims.

use std::ops::Range;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// Offsets into the TCP header (RFC 9293 §3.1).
pub(crate) const TCP_SEQUENCE: usize = 4;
pub(crate) const TCP_FLAGS: usize = 13;
pub(crate) const TCP_CHECKSUM: usize = 16;
pub(crate) const FIN: u8 = 0x01;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const CWR: u8 = 0x80;

/// Offsets into the UDP header (RFC 768).
pub(crate) const UDP_LENGTH: usize = 4;
pub(crate) const UDP_CHECKSUM: usize = 6;
pub(crate) const UDP_HEADER: usize = 8;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;

/// A TCP or UDP packet that is no fragment, and whose headers are all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) is_v6: bool,
    pub(crate) protocol: u8,
    /// Where the TCP or UDP header begins.
    pub(crate) transport: usize,
    pub(crate) payload: usize,
}

impl Layout {
    /// `None` for anything else. IPv6 extension headers count as anything else: runs have none.
    pub(crate) fn lookup(packet: &[u8]) -> Option<Self> {
        let (is_v6, protocol, transport) = match packet.first()? >> 4 {
            4 if packet.len() >= IPV4_HEADER => {
                let fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff;
                let header = usize::from(packet[0] & 0xf) * 4;
                (header >= IPV4_HEADER && fragment == 0).then_some((false, packet[9], header))?
            }
            6 if packet.len() >= IPV6_HEADER => (true, packet[6], IPV6_HEADER),
            _ => return None,
        };
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

    /// Source and destination.
    pub(crate) fn addresses(&self) -> Range<usize> {
        if self.is_v6 { 8..40 } else { 12..20 }
    }

    /// Where the checksum of the transport part is.
    pub(crate) fn checksum(&self) -> usize {
        let offset = if self.protocol == TCP {
            TCP_CHECKSUM
        } else {
            UDP_CHECKSUM
        };
        self.transport + offset
    }
}

/// The length that the IP header claims; the packet is as long as a header at least.
pub(crate) fn claimed_length(packet: &[u8], is_v6: bool) -> usize {
    if is_v6 {
        IPV6_HEADER + usize::from(u16::from_be_bytes([packet[4], packet[5]]))
    } else {
        usize::from(u16::from_be_bytes([packet[2], packet[3]]))
    }
}

/// Makes the IP header say that the whole packet has `length` bytes, and finishes an IPv4 header's own checksum.
pub(crate) fn set_length(packet: &mut [u8], layout: &Layout, length: usize) {
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
        let sum = super::checksum::Sum::default().add(&packet[..layout.transport]);
        packet[10..12].copy_from_slice(&sum.finish());
    }
}

pub(crate) fn tcp_sequence(packet: &[u8], layout: &Layout) -> u32 {
    let at = layout.transport + TCP_SEQUENCE;
    let bytes = packet[at..].first_chunk().copied().unwrap_or_default();
    u32::from_be_bytes(bytes)
}
