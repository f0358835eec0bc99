//! Requests to the kernel about links, addresses and routes, answered without a runtime.

use std::io::{self, ErrorKind};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug)]
pub(super) struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) is_up: bool,
    pub(super) is_loopback: bool,
    pub(super) is_point_to_point: bool,
    /// `None` for a physical card.
    pub(super) kind: Option<InfoKind>,
    /// The bridge or bond that it is a port of.
    pub(super) controller: Option<u32>,
}

/// An address in its usable state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) link: u32,
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Sends a request that changes something, and waits for its acknowledgment.
    pub(super) fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.exchange(message, NLM_F_ACK | flags).map(drop)
    }

    pub(super) fn links(&mut self) -> io::Result<Vec<Link>> {
        let answers = self.exchange(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        Ok(answers.into_iter().filter_map(link).collect())
    }

    pub(super) fn addresses(&mut self) -> io::Result<Vec<Address>> {
        let message = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self.exchange(message, NLM_F_DUMP)?;
        Ok(answers.into_iter().filter_map(address).collect())
    }

    /// The routes of both families and all tables.
    pub(super) fn routes(&mut self) -> io::Result<Vec<RouteMessage>> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            let answers = self.exchange(RouteNetlinkMessage::GetRoute(message), NLM_F_DUMP)?;
            routes.extend(answers.into_iter().filter_map(|answer| match answer {
                RouteNetlinkMessage::NewRoute(route) => Some(route),
                _ => None,
            }));
        }
        Ok(routes)
    }

    /// The route by which the system would send a packet.
    pub(super) fn route(&mut self, source: Ipv4Addr, destination: Ipv4Addr) -> io::Result<RouteMessage> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 32;
        message.header.source_prefix_length = 32;
        message.attributes = vec![
            RouteAttribute::Destination(RouteAddress::Inet(destination)),
            RouteAttribute::Source(RouteAddress::Inet(source)),
        ];
        let answers = self.exchange(RouteNetlinkMessage::GetRoute(message), NLM_F_ACK)?;
        let route = answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => Some(route),
            _ => None,
        });
        route.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn exchange(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            if self.collect(&datagram, &mut answers)? {
                return Ok(answers);
            }
        }
    }

    /// Adds the answers in a datagram; returns whether the last one was among them.
    fn collect(&self, datagram: &[u8], answers: &mut Vec<RouteNetlinkMessage>) -> io::Result<bool> {
        let mut rest = datagram;
        while let Some(length) = rest
            .first_chunk()
            .map(|bytes| u32::from_ne_bytes(*bytes) as usize)
        {
            // A newer kernel's message about an unusual link or route may not parse. It is skipped, because it is not
            // about the mesh's interface.
            let parsed = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest);
            if let Ok(message) = parsed
                && message.header.sequence_number == self.sequence
            {
                match message.payload {
                    NetlinkPayload::Done(_) => return Ok(true),
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(true),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                    _ => {}
                }
            }
            match rest.get(length.next_multiple_of(4)..) {
                Some(next) if length > 0 => rest = next,
                _ => break,
            }
        }
        if datagram.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(false)
    }
}

fn link(answer: RouteNetlinkMessage) -> Option<Link> {
    let RouteNetlinkMessage::NewLink(message) = answer else {
        return None;
    };
    let flags = message.header.flags;
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        is_up: flags.contains(LinkFlags::Up | LinkFlags::Running),
        is_loopback: flags.contains(LinkFlags::Loopback),
        is_point_to_point: flags.contains(LinkFlags::Pointopoint),
        kind: None,
        controller: None,
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Controller(index) => link.controller = Some(index),
            LinkAttribute::LinkInfo(about) => {
                let mut about = about.into_iter();
                link.kind = about.find_map(|about| match about {
                    LinkInfo::Kind(kind) => Some(kind),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    (!link.name.is_empty()).then_some(link)
}

fn address(answer: RouteNetlinkMessage) -> Option<Address> {
    let RouteNetlinkMessage::NewAddress(message) = answer else {
        return None;
    };
    let unusable =
        AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed | AddressHeaderFlags::Deprecated;
    if message.header.flags.intersects(unusable) {
        return None;
    }
    // On a point-to-point link `Address` is the other end, and `Local` is this device's address.
    let mut own = None;
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(address),
            AddressAttribute::Address(address) => own = own.or(Some(address)),
            _ => {}
        }
    }
    Some(Address {
        link: message.header.index,
        prefix: message.header.prefix_len,
        address: own?,
    })
}
