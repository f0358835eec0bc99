//! An address as it is written in a frame: IPv6 or mapped IPv4, and a port. Flow label and zone are not carried.

use crate::cursor::Reader;
use std::net::{Ipv6Addr, SocketAddr};

pub(crate) const ADDRESS_LEN: usize = 18;

pub(crate) fn encode(address: SocketAddr) -> [u8; ADDRESS_LEN] {
    let ip = match address {
        SocketAddr::V4(v4) => v4.ip().to_ipv6_mapped(),
        SocketAddr::V6(v6) => *v6.ip(),
    };
    let mut bytes = [0; ADDRESS_LEN];
    let (first, last) = bytes.split_at_mut(16);
    first.copy_from_slice(&ip.octets());
    last.copy_from_slice(&address.port().to_be_bytes());
    bytes
}

/// A mapped IPv4 address is returned as IPv4.
pub(crate) fn read(from: &mut Reader<'_>) -> Option<SocketAddr> {
    let ip = Ipv6Addr::from(*from.array()?);
    Some(SocketAddr::new(ip.to_canonical(), from.u16()?))
}
