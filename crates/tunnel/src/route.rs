//! The mesh in the system's routing table, and the system's networks as the mesh sees them. All by netlink.
//!
//! - [`Interface`]: address, route, MTU and state of our own interface. They go when the interface goes.
//! - [`overlap`]: what is in the way of a range of addresses.
//! - [`delivery`]: whether packets pass between the system and the interface, and what is in the way.
//! - [`surroundings`]: where this device can be reached, and by which way it reaches the world.
//! - [`watch`]: says when one of these may have changed.

pub(crate) mod delivery;
mod netlink;
mod pace;
mod surroundings;
pub(crate) mod watch;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::enroll::MeshAddress;
use flotilla_protocol::interface;
use flotilla_protocol::mesh::NetworkMap;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkFlags, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::RouteInTheWay;
use netlink::Netlink;
use pace::Pace;
pub(crate) use surroundings::{Surroundings, surroundings};

/// The first route, in whichever table, that shares addresses with `range`; those of the interface `own` do not
/// count, and neither does a default route or a piece of one.
///
/// # Errors
/// The kernel does not tell its routes.
pub fn overlap(range: IpRange, own: &str) -> io::Result<Option<RouteInTheWay>> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let name = |index: u32| {
        links
            .iter()
            .find(|link| link.index == index)
            .map(|link| link.name.clone())
    };
    for route in netlink.routes()? {
        let Some(taken) = taken_by(&route).filter(|taken| taken.overlaps(&range)) else {
            continue;
        };
        let interface = outgoing(&route).and_then(name).unwrap_or_default();
        if interface != own {
            return Ok(Some(RouteInTheWay {
                range: taken,
                interface,
            }));
        }
    }
    Ok(None)
}

fn taken_by(route: &RouteMessage) -> Option<IpRange> {
    let leads = !matches!(
        route.header.kind,
        RouteType::Broadcast | RouteType::Anycast | RouteType::Multicast
    );
    range_of(route).filter(|range| leads && !range.is_last_resort())
}

/// Where a route leads; `None` for a default route.
fn range_of(route: &RouteMessage) -> Option<IpRange> {
    let destination = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
        RouteAttribute::Destination(RouteAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
        _ => None,
    })?;
    IpRange::new(destination, route.header.destination_prefix_length).ok()
}

fn outgoing(route: &RouteMessage) -> Option<u32> {
    route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    })
}

/// A name server of this device that has an address inside the mesh's range and is none of its peers. The mesh's route
/// would cut the device off from it.
pub(crate) fn name_server(range: IpRange, map: &NetworkMap) -> Option<Ipv4Addr> {
    // The second file has those that the system's own resolver asks.
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files
        .into_iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    texts
        .flat_map(|text| interface::name_servers(&text))
        .find(|server| is_covered(*server, range, map))
}

/// Whether this address lies in the mesh's range without being this device's or a peer's.
fn is_covered(server: Ipv4Addr, range: IpRange, map: &NetworkMap) -> bool {
    let mut peers = map.peers.iter().map(|peer| peer.address);
    let is_on_mesh = server == map.address.address || peers.any(|peer| peer == server);
    range.contains(IpAddr::V4(server)) && !is_on_mesh
}

/// Our own interface.
#[derive(Debug)]
pub(crate) struct Interface {
    netlink: Netlink,
    name: String,
    index: u32,
    address: Option<MeshAddress>,
    pace: Pace,
}

impl Interface {
    /// Gives it its MTU and brings it up.
    pub(crate) fn up(name: &str, mtu: u16) -> io::Result<Self> {
        let mut netlink = Netlink::open()?;
        let links = netlink.links()?;
        let link = links.into_iter().find(|link| link.name == name);
        let index = link.ok_or(io::ErrorKind::NotFound)?.index;
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![
            LinkAttribute::Mtu(u32::from(mtu)),
            // The mesh has IPv4 addresses only, so no link-local address is needed, and no router to look for.
            LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(
                In6AddrGenMode::None,
            )])]),
        ];
        if netlink
            .request(RouteNetlinkMessage::SetLink(message.clone()), 0)
            .is_err()
        {
            // A system without IPv6 refuses the whole message.
            message.attributes.truncate(1);
            netlink.request(RouteNetlinkMessage::SetLink(message.clone()), 0)?;
        }
        message.attributes.clear();
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        netlink.request(RouteNetlinkMessage::SetLink(message), 0)?;
        Ok(Self {
            netlink,
            name: name.to_owned(),
            index,
            address: None,
            pace: Pace::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes this the device's address and the fleet's range reachable through the interface.
    pub(crate) fn set_address(&mut self, mesh: MeshAddress) -> io::Result<()> {
        if self.address == Some(mesh) {
            return Ok(());
        }
        if let Some(old) = self.address.take() {
            // Its route goes with it, since it is the route's source.
            self.netlink.request(
                RouteNetlinkMessage::DelAddress(self.address_message(old.address)),
                0,
            )?;
        }
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        let address = self.address_message(mesh.address);
        self.netlink
            .request(RouteNetlinkMessage::NewAddress(address), flags)?;
        let route = self.route_message(mesh);
        self.netlink
            .request(RouteNetlinkMessage::NewRoute(route), flags)?;
        self.address = Some(mesh);
        Ok(())
    }

    /// When to look whether something was taken away again.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pace.poll_timeout()
    }

    /// Puts the mesh's address and route back where they are missing: programs that manage a system's networks remove
    /// what they did not make. It is done as often as [`Pace`]
    /// admits, and not over another program's route to the range.
    pub(crate) fn restore(&mut self, now: Instant) -> io::Result<()> {
        let Some((mesh, range)) = self.address.and_then(|mesh| Some((mesh, mesh.range()?))) else {
            return Ok(());
        };
        if !self.pace.admit(now) {
            return Ok(());
        }
        let own = |address: &netlink::Address| {
            address.link == self.index && address.address == IpAddr::V4(mesh.address)
        };
        let has_address = self.netlink.addresses()?.iter().any(own);
        let is_route =
            |route: &RouteMessage| outgoing(route) == Some(self.index) && range_of(route) == Some(range);
        let is_whole = has_address && self.netlink.routes()?.iter().any(is_route);
        if !is_whole && overlap(range, &self.name)?.is_none() {
            self.address = None;
            let outcome = self.set_address(mesh);
            self.address = Some(mesh);
            // A failure that lasts, as on an interface that is down, is told once.
            if self.pace.note_restored(now) {
                outcome?;
                tracing::warn!(
                    interface.name = self.name,
                    "The mesh's address or route was taken away; it was put back."
                );
            }
        }
        Ok(())
    }

    fn address_message(&self, address: Ipv4Addr) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = 32;
        message.header.index = self.index;
        let address = IpAddr::V4(address);
        message.attributes = vec![
            AddressAttribute::Local(address),
            AddressAttribute::Address(address),
        ];
        message
    }

    fn route_message(&self, mesh: MeshAddress) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header = RouteHeader {
            address_family: AddressFamily::Inet,
            destination_prefix_length: mesh.prefix,
            table: RouteHeader::RT_TABLE_MAIN,
            protocol: RouteProtocol::Static,
            scope: RouteScope::Link,
            kind: RouteType::Unicast,
            ..RouteHeader::default()
        };
        message.attributes = vec![
            RouteAttribute::Oif(self.index),
            RouteAttribute::PrefSource(RouteAddress::Inet(mesh.address)),
        ];
        if let Ok(range) = IpRange::new(IpAddr::V4(mesh.address), mesh.prefix)
            && let IpAddr::V4(first) = range.first()
        {
            message
                .attributes
                .push(RouteAttribute::Destination(RouteAddress::Inet(first)));
        }
        message
    }
}

#[cfg(test)]
mod tests;
