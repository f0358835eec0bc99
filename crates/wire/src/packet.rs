//! IP packets (RFC 791, RFC 8200): the only parser, for filter, paths and offload. Packets are written by strangers.
//!
//! - [`parse`]: addresses, protocol and ports, for decisions about a packet.
//! - [`Layout`]: the places of a packet's parts, for cutting, joining and changing packets.
//! - [`checksum`]: RFC 1071.

pub mod checksum;
pub mod layout;

pub use layout::Layout;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const CWR: u8 = 0x80;

/// The most IPv6 extension headers before the payload: more than any honest packet has.
const MOST_EXTENSIONS: usize = 8;

/// The headers of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The payload's protocol, behind any IPv6 extension headers.
    pub protocol: u8,
    pub payload: Payload,
    /// The offset of the payload.
    pub offset: usize,
    /// The identification that all fragments of this packet share; `None` when it is not fragmented.
    pub fragment: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    Tcp {
        source: u16,
        destination: u16,
        flags: u8,
    },
    Udp {
        source: u16,
        destination: u16,
    },
    /// An echo request or reply, of either family.
    Echo {
        id: u16,
        reply: bool,
    },
    /// An ICMP error about a packet that this packet's receiver sent.
    Error {
        about: Quoted,
    },
    /// A payload without ports.
    Other,
    /// Any fragment but the first.
    Later,
}

/// The part of the packet inside an ICMP error that names its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    /// Source and destination port; 0 for a protocol without ports.
    pub ports: (u16, u16),
    /// The id of an echo, and whether it is a reply.
    pub echo: Option<(u16, bool)>,
}

/// Parses the headers; `None` when they contradict themselves or end too early. The bytes may end after the transport
/// header, so that the headers of a run of segments parse as those of one packet.
pub fn parse(bytes: &[u8]) -> Option<Headers> {
    let network = network(bytes)?;
    let rest = bytes.get(network.offset..)?;
    let payload = match network.place {
        Place::Later => Payload::Later,
        Place::First | Place::Whole => transport(network.protocol, rest)?,
    };
    Some(Headers {
        source: network.source,
        destination: network.destination,
        protocol: network.protocol,
        payload,
        offset: network.offset,
        fragment: (network.place != Place::Whole).then_some(network.id),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Whole,
    First,
    Later,
}

struct Network {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    offset: usize,
    place: Place,
    id: u32,
}

fn network(bytes: &[u8]) -> Option<Network> {
    match bytes.first()? >> 4 {
        4 => network_v4(bytes),
        6 => network_v6(bytes),
        _ => None,
    }
}

fn network_v4(bytes: &[u8]) -> Option<Network> {
    let offset = usize::from(bytes.first()? & 0x0f) * 4;
    let total = usize::from(u16_at(bytes, 2)?);
    if offset < 20 || total < offset {
        return None;
    }
    let protocol = *bytes.get(9)?;
    let place = place(
        u16_at(bytes, 6)? & 0x1fff,
        u16_at(bytes, 6)? & 0x2000 != 0,
        protocol,
    )?;
    Some(Network {
        source: IpAddr::V4(v4(bytes, 12)?),
        destination: IpAddr::V4(v4(bytes, 16)?),
        protocol,
        offset,
        place,
        id: u32::from(u16_at(bytes, 4)?),
    })
}

fn network_v6(bytes: &[u8]) -> Option<Network> {
    let mut network = Network {
        source: IpAddr::V6(v6(bytes, 8)?),
        destination: IpAddr::V6(v6(bytes, 24)?),
        protocol: *bytes.get(6)?,
        offset: 40,
        place: Place::Whole,
        id: 0,
    };
    for _ in 0..MOST_EXTENSIONS {
        let at = network.offset;
        let length = match network.protocol {
            // hop-by-hop, routing and destination options
            0 | 43 | 60 => (usize::from(*bytes.get(at + 1)?) + 1) * 8,
            // authentication
            51 => (usize::from(*bytes.get(at + 1)?) + 2) * 4,
            44 => {
                let field = u16_at(bytes, at + 2)?;
                network.id = u32::from(u16_at(bytes, at + 4)?) << 16 | u32::from(u16_at(bytes, at + 6)?);
                network.protocol = *bytes.get(at)?;
                network.place = place(field >> 3, field & 1 != 0, network.protocol)?;
                network.offset = at + 8;
                if network.place == Place::Later {
                    return Some(network);
                }
                continue;
            }
            _ => return Some(network),
        };
        network.protocol = *bytes.get(at)?;
        network.offset = at + length;
    }
    None
}

/// A later fragment must not overlap the first one's TCP header (RFC 3128).
fn place(offset: u16, more: bool, protocol: u8) -> Option<Place> {
    match (offset, more) {
        (0, false) => Some(Place::Whole),
        (0, true) => Some(Place::First),
        (1, _) if protocol == TCP => None,
        _ => Some(Place::Later),
    }
}

fn transport(protocol: u8, bytes: &[u8]) -> Option<Payload> {
    match protocol {
        TCP => {
            let header = usize::from(*bytes.get(12)? >> 4) * 4;
            (header >= 20 && bytes.len() >= 20).then_some(())?;
            Some(Payload::Tcp {
                source: u16_at(bytes, 0)?,
                destination: u16_at(bytes, 2)?,
                flags: *bytes.get(13)?,
            })
        }
        UDP => {
            (bytes.len() >= 8).then_some(())?;
            Some(Payload::Udp {
                source: u16_at(bytes, 0)?,
                destination: u16_at(bytes, 2)?,
            })
        }
        ICMP => icmp(bytes, [8, 0], &[3, 11, 12]),
        ICMPV6 => icmp(bytes, [128, 129], &[1, 2, 3, 4]),
        _ => Some(Payload::Other),
    }
}

fn icmp(bytes: &[u8], [request, reply]: [u8; 2], errors: &[u8]) -> Option<Payload> {
    (bytes.len() >= 8).then_some(())?;
    let kind = *bytes.first()?;
    if kind == request || kind == reply {
        let id = u16_at(bytes, 4)?;
        return Some(Payload::Echo {
            id,
            reply: kind == reply,
        });
    }
    if !errors.contains(&kind) {
        return Some(Payload::Other);
    }
    // A quoted packet that does not parse makes the error malformed, because its receiver may parse it differently and
    // act on it.
    let about = quoted(bytes.get(8..)?)?;
    Some(Payload::Error { about })
}

/// The packet that an ICMP error quotes: its IP header and at least 8 more bytes (RFC 792). Errors are sent only about
/// first fragments (RFC 1122 §3.2.2).
fn quoted(bytes: &[u8]) -> Option<Quoted> {
    let network = network(bytes)?;
    if network.place == Place::Later {
        return None;
    }
    let rest = bytes.get(network.offset..)?;
    let ports = match network.protocol {
        TCP | UDP => (u16_at(rest, 0)?, u16_at(rest, 2)?),
        _ => (0, 0),
    };
    let echo = match (network.protocol, rest.first()) {
        (ICMP, Some(8)) | (ICMPV6, Some(128)) => Some((u16_at(rest, 4)?, false)),
        (ICMP, Some(0)) | (ICMPV6, Some(129)) => Some((u16_at(rest, 4)?, true)),
        _ => None,
    };
    Some(Quoted {
        source: network.source,
        destination: network.destination,
        protocol: network.protocol,
        ports,
        echo,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn v4(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?))
}

fn v6(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?))
}
