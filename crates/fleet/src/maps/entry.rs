//! What [`Maps`](super::Maps) keeps of one device.

use super::{Member, delivery::Delivery};
use flotilla_protocol::{
    Timestamp,
    device::RelayPreference,
    key::PublicKey,
    mesh::{Peer, RelayTicket},
};

#[derive(Debug)]
pub(super) struct MapEntry {
    pub(super) member: Member,
    pub(super) ticket: Option<Ticket>,
    pub(super) revision: u64,
    pub(super) delivery: Delivery,
}

#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) text: RelayTicket,
    /// The ticket is good for this key only.
    pub(super) key: PublicKey,
    pub(super) issued: Timestamp,
}

impl MapEntry {
    pub(super) fn new(member: Member) -> Self {
        Self {
            member,
            ticket: None,
            revision: 0,
            delivery: Delivery::default(),
        }
    }

    /// The device as it is in the maps of others. A device that always relays shows no candidates, and one that never
    /// relays no home relay.
    pub(super) fn as_peer(&self) -> Option<Peer> {
        let member = &self.member;
        let candidates = match member.relay {
            RelayPreference::Always => Vec::new(),
            RelayPreference::Auto | RelayPreference::Never | RelayPreference::Unknown => {
                member.candidates.clone()
            }
        };
        Some(Peer {
            id: member.subject.id,
            name: member.subject.name.clone(),
            public_key: member.public_key?,
            address: member.subject.address,
            relay: member.relay,
            candidates,
            home_relay: member
                .home_relay
                .filter(|_| member.relay != RelayPreference::Never),
            nat: member.nat,
            plain: false,
        })
    }

    pub(super) fn ticket(&self) -> Option<&RelayTicket> {
        let held = self.ticket.as_ref()?;
        let may = self.member.relay != RelayPreference::Never && self.member.public_key == Some(held.key);
        may.then_some(&held.text)
    }
}
