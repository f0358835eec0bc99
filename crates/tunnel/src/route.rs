//! The mesh in the system's routing table, and the system's networks as the mesh sees them, by netlink.
//!
//! - [`Interface`]: address, route, MTU and state of the mesh's interface. They end with the interface.
//! - [`overlap`]: a route that shares addresses with a range.
//! - [`delivery`]: whether packets pass between the system and the interface, and what keeps them from it.
//! - [`surroundings`]: the addresses at which this device can be reached, and its default routes.
//! - [`watch`]: reports that one of these may have changed.

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
use pace::RestorePace;
pub(crate) use surroundings::{Surroundings, surroundings};

/// The first route, in any table, that shares addresses with `range`. Routes of the interface `own`, default routes
/// and pieces of default routes do not count.
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

/// The destination of a route; `None` for a default route.
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

/// The mesh's interface.
#[derive(Debug)]
pub(crate) struct Interface {
    netlink: Netlink,
    name: String,
    index: u32,
    address: Option<MeshAddress>,
    pace: RestorePace,
}

impl Interface {
    /// Sets the interface's MTU and brings it up.
    pub(crate) fn up(name: &str, mtu: u16) -> io::Result<Self> {
        let mut netlink = Netlink::open()?;
        let links = netlink.links()?;
        let link = links.into_iter().find(|link| link.name == name);
        let index = link.ok_or(io::ErrorKind::NotFound)?.index;
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![
            LinkAttribute::Mtu(u32::from(mtu)),
            // The mesh has IPv4 addresses only, so the interface needs neither an IPv6 link-local address nor router
            // discovery.
            LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(
                In6AddrGenMode::None,
            )])]),
        ];
        if netlink
            .request(RouteNetlinkMessage::SetLink(message.clone()), 0)
            .is_err()
        {
            // A kernel without IPv6 refuses the whole message, so it is sent again without that part.
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
            pace: RestorePace::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sets the device's address, and routes the fleet's range to the interface.
    pub(crate) fn set_address(&mut self, mesh: MeshAddress) -> io::Result<()> {
        if self.address == Some(mesh) {
            return Ok(());
        }
        if let Some(old) = self.address.take() {
            // The kernel removes the route together with its source address.
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

    /// When a delayed restore is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pace.poll_timeout()
    }

    /// Puts the mesh's address and route back where they are missing, because programs that manage a system's networks
    /// remove what they did not make. It happens as often as [`RestorePace`] admits, and not over another program's route to
    /// the range.
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
            // A failure that lasts, as on an interface that is down, is logged once.
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
        if let Some(range) = mesh.range()
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
