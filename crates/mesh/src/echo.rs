//! What the mesh says to its own device, so that the device can see whether packets pass the system on their way.
//!
//! Nobody has the first address of the mesh's range. A datagram that the device sends from its mesh address to the port
//! [`ECHO_PORT`] there has passed the system's routes and filters and the interface. It comes back twice: as an answer,
//! and from the port [`UNASKED_PORT`], as something that a peer begins. What arrives has passed the way in.

use flotilla_wire::packet::{Headers, Payload};
use std::net::IpAddr;

/// Where the mesh answers its own device.
pub const ECHO_PORT: u16 = 7;

/// Where what comes from there was not asked for, as far as the system's firewall knows.
pub const UNASKED_PORT: u16 = 9;

/// More than anybody needs to see that something came back.
const LONGEST: usize = 128;

/// The two packets that go back; none where this is no question. `asked` is from the device and for the first address
/// of the range.
pub(crate) fn answers(asked: &[u8], headers: &Headers) -> Option<[Vec<u8>; 2]> {
    let Payload::Udp { source, destination } = headers.payload else {
        return None;
    };
    let (IpAddr::V4(from), IpAddr::V4(to)) = (headers.source, headers.destination) else {
        return None;
    };
    let total = usize::from(u16::from_be_bytes(*asked.get(2..)?.first_chunk()?));
    let is_whole = total == asked.len() && total <= LONGEST && headers.fragment.is_none();
    if destination != ECHO_PORT || !is_whole {
        return None;
    }
    let mut answer = asked.to_vec();
    answer.get_mut(12..16)?.copy_from_slice(&to.octets());
    answer.get_mut(16..20)?.copy_from_slice(&from.octets());
    let ports = headers.offset..headers.offset + 4;
    let from_port = |port: u16| [port.to_be_bytes(), source.to_be_bytes()].concat();
    // Sums do not mind what changes places.
    answer
        .get_mut(ports.clone())?
        .copy_from_slice(&from_port(destination));
    let mut unasked = answer.clone();
    unasked.get_mut(ports)?.copy_from_slice(&from_port(UNASKED_PORT));
    // There is none (RFC 768).
    unasked.get_mut(headers.offset + 6..headers.offset + 8)?.fill(0);
    Some([answer, unasked])
}
