//! The networks around this device: addresses at which other devices may reach it, and its default routes.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::interface::{Kind, Reach};
use netlink_packet_route::link::InfoKind;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};

use super::netlink::{Link, Netlink};
use super::{outgoing, range_of};

/// A changed value means that the device moved on the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// The networks of these addresses.
    pub(crate) networks: BTreeSet<IpRange>,
    /// Default routes and pieces of them: the index of the interface, and the gateway if there is one.
    default_routes: BTreeSet<(u32, Option<IpAddr>)>,
}

/// Reads the present surroundings. Addresses inside `mesh` and those of the interface `own` do not count.
pub(crate) fn surroundings(own: &str, mesh: Option<IpRange>) -> io::Result<Surroundings> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let routes: Vec<_> = netlink.routes()?.iter().filter_map(default_route).collect();
    let mut found = Surroundings::default();
    for address in netlink.addresses()? {
        let Some(link) = links.iter().find(|link| link.index == address.link) else {
            continue;
        };
        let in_mesh = mesh.is_some_and(|mesh| mesh.contains(address.address));
        let reach = Reach::of(&link.name, kind(link, &links, &routes));
        let counts = link.is_up && !link.is_loopback && link.name != own;
        if counts && !in_mesh && reach.offers(address.address) {
            found.addresses.insert(address.address);
        }
        if counts && !in_mesh && reach == Reach::Network && reach.offers(address.address) {
            found.networks.extend(network(address.address, address.prefix));
        }
    }
    let counts = |index: u32| {
        let mut links = links.iter();
        links.any(|link| link.index == index && link.is_up && !link.is_loopback && link.name != own)
    };
    let default_routes = routes.iter().filter(|route| counts(route.link));
    found.default_routes = default_routes.map(|route| (route.link, route.gateway)).collect();
    Ok(found)
}

/// The network of an address. For IPv6 it is always the /64 prefix: the prefix of an address that was assigned by DHCP
/// says nothing about its network (RFC 5942 §4).
fn network(address: IpAddr, prefix: u8) -> Option<IpRange> {
    IpRange::new(address, if address.is_ipv4() { prefix } else { 64 }).ok()
}

/// A default route, or a piece of one.
struct DefaultRoute {
    link: u32,
    gateway: Option<IpAddr>,
    is_whole: bool,
}

fn default_route(route: &RouteMessage) -> Option<DefaultRoute> {
    let range = range_of(route);
    if range.is_some_and(|range| !range.is_last_resort()) {
        return None;
    }
    let gateway = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
        RouteAttribute::Gateway(RouteAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
        _ => None,
    });
    Some(DefaultRoute {
        link: outgoing(route)?,
        gateway,
        is_whole: route.header.destination_prefix_length == 0,
    })
}

fn kind(link: &Link, links: &[Link], routes: &[DefaultRoute]) -> Kind {
    let leads_out = |is_whole| {
        let mut defaults = routes.iter();
        defaults.any(|route| route.link == link.index && route.is_whole == is_whole)
    };
    match &link.kind {
        Some(InfoKind::Bridge) => {
            let mut ports = links.iter().filter(|port| port.controller == Some(link.index));
            Kind::Bridge {
                leads_out: leads_out(true) || ports.any(is_wired),
            }
        }
        Some(
            InfoKind::Tun
            | InfoKind::Wireguard
            | InfoKind::Vxlan
            | InfoKind::Geneve
            | InfoKind::IpIp
            | InfoKind::Ip6Tnl
            | InfoKind::SitTun
            | InfoKind::GreTun
            | InfoKind::GreTun6
            | InfoKind::GreTap
            | InfoKind::GreTap6
            | InfoKind::Vti
            | InfoKind::Vti6
            | InfoKind::Xfrm,
        ) => Kind::Tunnel,
        _ if link.is_point_to_point || leads_out(false) => Kind::Tunnel,
        _ => Kind::Other,
    }
}

/// Whether the port of a bridge is a network card or made of cards, and not a container or a virtual machine.
fn is_wired(port: &Link) -> bool {
    matches!(
        port.kind,
        None | Some(InfoKind::Vlan | InfoKind::Bond | InfoKind::Team | InfoKind::Dsa | InfoKind::Wwan)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, kind: Option<InfoKind>, controller: Option<u32>) -> Link {
        Link {
            index,
            name: name.to_owned(),
            is_up: true,
            is_loopback: false,
            is_point_to_point: false,
            kind,
            controller,
        }
    }

    fn reach(link: &Link, links: &[Link], routes: &[DefaultRoute]) -> Reach {
        Reach::of(&link.name, kind(link, links, routes))
    }

    #[test]
    fn a_bridge_leads_to_others_where_a_card_or_the_default_route_does() {
        let bridge = Some(InfoKind::Bridge);
        let links = [
            link(1, "vmbr0", bridge.clone(), None),
            link(2, "enp3s0", None, Some(1)),
            link(3, "tap100i0", Some(InfoKind::Tun), Some(1)),
            link(4, "containers", bridge.clone(), None),
            link(5, "veth1", Some(InfoKind::Veth), Some(4)),
            link(6, "lan", bridge.clone(), None),
            link(7, "br-lan", bridge, None),
            link(8, "eth0.7", Some(InfoKind::Vlan), Some(7)),
        ];
        let routes = [DefaultRoute {
            link: 6,
            gateway: None,
            is_whole: true,
        }];
        for (index, expected) in [
            (1, Reach::Network),
            (4, Reach::Computer),
            (6, Reach::Network),
            (7, Reach::Network),
        ] {
            let link = &links[index - 1];
            assert_eq!(reach(link, &links, &routes), expected, "{}", link.name);
        }
    }

    #[test]
    fn tunnels_are_known_by_what_they_are_and_by_what_they_take() {
        let of_kind = |kind| reach(&link(1, "office", kind, None), &[], &[]);
        assert_eq!(of_kind(None), Reach::Network);
        assert_eq!(
            of_kind(Some(InfoKind::Veth)),
            Reach::Network,
            "a container's own card"
        );
        for kind in [InfoKind::Tun, InfoKind::Wireguard, InfoKind::Vxlan] {
            assert_eq!(of_kind(Some(kind)), Reach::Tunnel);
        }
        let modem = Link {
            is_point_to_point: true,
            ..link(1, "office", None, None)
        };
        assert_eq!(reach(&modem, &[], &[]), Reach::Tunnel);
        let half = |is_whole| DefaultRoute {
            link: 1,
            gateway: None,
            is_whole,
        };
        let card = link(1, "eth0", None, None);
        assert_eq!(reach(&card, &[], &[half(true)]), Reach::Network);
        assert_eq!(reach(&card, &[], &[half(false)]), Reach::Tunnel);
    }

    #[test]
    fn the_network_of_an_address_is_that_of_its_mask_or_its_prefix() {
        let network = |address: &str, prefix| network(address.parse().unwrap(), prefix).unwrap().to_string();
        assert_eq!(network("192.168.7.9", 23), "192.168.6.0/23");
        assert_eq!(network("2001:db8:0:7::9", 128), "2001:db8:0:7::/64");
    }
}
