//! An echo for the device itself, which so finds out whether packets pass between its system and the mesh.
//!
//! The first address of the mesh's range is given to no device. A datagram that the device sends from its mesh address
//! to port [`ECHO_PORT`] there has passed the system's routes and filters on the way out, and two datagrams are sent
//! back: an answer, and one from port [`UNASKED_PORT`], which a firewall takes for a flow that a peer begins. Those
//! that arrive have passed the system on the way in. Only packets from the device's own interface are answered, none
//! from peers.

use flotilla_wire::packet::{Headers, Payload, layout};
use std::net::IpAddr;

/// The port at which the mesh answers its own device.
pub const ECHO_PORT: u16 = 7;

/// The source port of the second datagram. The device sends nothing there, so a firewall does not take it for an
/// answer.
pub const UNASKED_PORT: u16 = 9;

/// The longest question in bytes, IP header included. The device's own have 44.
const LONGEST_QUESTION: usize = 128;

/// The two packets that are sent back; `None` when the packet is no question. `asked` comes from the device and is
/// addressed to the first address of the range.
pub(crate) fn answers(asked: &[u8], headers: &Headers) -> Option<[Vec<u8>; 2]> {
    let Payload::Udp { source, destination } = headers.payload else {
        return None;
    };
    let (IpAddr::V4(from), IpAddr::V4(to)) = (headers.source, headers.destination) else {
        return None;
    };
    let length = layout::claimed_length(asked, false);
    let is_whole = length == asked.len() && length <= LONGEST_QUESTION && headers.fragment.is_none();
    if destination != ECHO_PORT || !is_whole {
        return None;
    }
    let mut answer = asked.to_vec();
    answer.get_mut(12..16)?.copy_from_slice(&to.octets());
    answer.get_mut(16..20)?.copy_from_slice(&from.octets());
    let ports = headers.offset..headers.offset + 4;
    let from_port = |port: u16| [port.to_be_bytes(), source.to_be_bytes()].concat();
    // Addresses and ports are swapped, which leaves the checksums correct.
    answer
        .get_mut(ports.clone())?
        .copy_from_slice(&from_port(destination));
    let mut unasked = answer.clone();
    unasked.get_mut(ports)?.copy_from_slice(&from_port(UNASKED_PORT));
    // Another source port would make the checksum wrong, so it is set to zero, which means that there is none (RFC
    // 768).
    let checksum = headers.offset + layout::UDP_CHECKSUM;
    unasked.get_mut(checksum..checksum + 2)?.fill(0);
    Some([answer, unasked])
}
