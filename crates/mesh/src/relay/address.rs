//! Where a relay may be: the map says it, and whoever runs a relay has a say in it.

use crate::path::address::{canonical, is_probable};
use flotilla_protocol::{cidr::IpRange, endpoint::Endpoint};
use std::net::SocketAddr;

/// Addresses of one relay that are greeted and asked, both families together.
const MOST: usize = 4;

/// The addresses of a relay that are worth a datagram. Only control's own can be on this computer: those of devices
/// never reach a map.
pub(super) fn usable(
    addresses: impl IntoIterator<Item = SocketAddr>,
    mesh: Option<IpRange>,
) -> Vec<SocketAddr> {
    let addresses = addresses.into_iter().map(canonical);
    let usable = addresses.filter(|address| {
        let is_here = address.ip().is_loopback() && address.port() != 0;
        is_here || is_probable(*address, mesh)
    });
    usable.take(MOST).collect()
}

/// That of an endpoint that is no name.
pub(super) fn of(endpoint: &Endpoint) -> Option<SocketAddr> {
    Some(SocketAddr::new(endpoint.ip()?, endpoint.port()))
}
