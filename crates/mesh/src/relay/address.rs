//! Which addresses of a relay are used. They come from the map, in which owners of relays have a say.

use crate::path::address::{canonical, is_probable};
use flotilla_protocol::{cidr::IpRange, endpoint::Endpoint};
use std::net::SocketAddr;

/// The most addresses of one relay that are used, both families together.
const MAX_ADDRESSES_USED: usize = 4;

/// The addresses of a relay that may be sent to. An address of this computer is allowed, because only control's own
/// relay can have one there; those of devices' relays never get into a map.
pub(super) fn usable(
    addresses: impl IntoIterator<Item = SocketAddr>,
    mesh: Option<IpRange>,
) -> Vec<SocketAddr> {
    let addresses = addresses.into_iter().map(canonical);
    let usable = addresses.filter(|address| {
        let is_here = address.ip().is_loopback() && address.port() != 0;
        is_here || is_probable(*address, mesh)
    });
    usable.take(MAX_ADDRESSES_USED).collect()
}

/// The address of an endpoint that is not a name.
pub(super) fn of(endpoint: &Endpoint) -> Option<SocketAddr> {
    Some(SocketAddr::new(endpoint.ip()?, endpoint.port()))
}
