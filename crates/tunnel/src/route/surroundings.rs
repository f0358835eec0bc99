//! The networks around this device: addresses at which others may reach it, and its ways out.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use flotilla_protocol::cidr::IpRange;
use netlink_packet_route::route::{RouteAddress, RouteAttribute};

use super::netlink::{Link, Netlink};
use super::outgoing;

/// Interfaces of containers, virtual machines and of the mesh itself: nobody reaches this device there.
const INNER: [&str; 6] = ["docker", "br-", "veth", "flotilla", "cni", "virbr"];

/// Unequal when the device is somewhere else on the network than before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// Default routes: the interface, and the gateway if there is one.
    ways_out: BTreeSet<(u32, Option<IpAddr>)>,
}

/// As they are now. Addresses inside `mesh` are not counted, nor are those of the interface `own`.
pub(crate) fn surroundings(own: &str, mesh: Option<IpRange>) -> io::Result<Surroundings> {
    let mut netlink = Netlink::open()?;
    let mut links = netlink.links()?;
    links.retain(|link| link.name != own && is_outer(link));
    let is_usable = |link: u32| links.iter().any(|usable| usable.index == link);
    let addresses = netlink.addresses()?.into_iter();
    let addresses = addresses
        .filter(|address| is_usable(address.link) && is_reachable(address.address))
        .map(|address| address.address)
        .filter(|address| mesh.is_none_or(|mesh| !mesh.contains(*address)));
    let addresses = addresses.collect();
    let routes = netlink.routes()?;
    let defaults = routes
        .iter()
        .filter(|route| route.header.destination_prefix_length == 0);
    let ways_out = defaults.filter_map(|route| {
        let gateway = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
            RouteAttribute::Gateway(RouteAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
            _ => None,
        });
        outgoing(route)
            .filter(|link| is_usable(*link))
            .map(|link| (link, gateway))
    });
    Ok(Surroundings {
        addresses,
        ways_out: ways_out.collect(),
    })
}

fn is_outer(link: &Link) -> bool {
    link.is_up && !link.is_loopback && !INNER.iter().any(|inner| link.name.starts_with(inner))
}

/// Unicast, and valid beyond one link.
fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_link_local() || v4.is_loopback() || v4.is_unspecified() || v4.is_multicast())
        }
        IpAddr::V6(v6) => {
            !(v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified() || v6.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str) -> Link {
        Link {
            index: 1,
            name: name.to_owned(),
            is_up: true,
            is_loopback: false,
        }
    }

    #[test]
    fn only_interfaces_that_others_reach_count() {
        for name in ["eth0", "wlan0", "enp3s0", "bond0", "br0", "ppp0"] {
            assert!(is_outer(&link(name)), "{name}");
        }
        for name in ["docker0", "br-1a2b", "veth12", "flotilla0", "cni0", "virbr0"] {
            assert!(!is_outer(&link(name)), "{name}");
        }
        assert!(!is_outer(&Link {
            is_up: false,
            ..link("eth0")
        }));
        assert!(!is_outer(&Link {
            is_loopback: true,
            ..link("lo")
        }));
    }

    #[test]
    fn only_addresses_that_are_valid_beyond_one_link_count() {
        for address in ["192.168.1.2", "100.64.0.1", "8.8.8.8", "fd00::1", "2001:db8::1"] {
            assert!(is_reachable(address.parse().unwrap()), "{address}");
        }
        for address in [
            "127.0.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_reachable(address.parse().unwrap()), "{address}");
        }
    }
}
