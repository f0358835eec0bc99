//! The relay client: sessions at relays, and sending through them.
//!
//! Life cycle of one relay: not needed → hello by UDP, answered by a challenge, answered by a proof, answered by a
//! welcome → up, kept alive by pings → down when the relay ends the session or falls silent, and hello again. When UDP
//! brought no answer for a moment, a TLS leg is asked for, on which the relay sends the first frame. UDP is tried
//! meanwhile; when it works, the TLS leg is given up.

mod address;
mod frames;
mod home;
mod leg;
#[cfg(test)]
mod tests;
mod tls_leg;

use crate::{Leg, Transmit};
use address::usable;
use flotilla_protocol::{cidr::IpRange, id::RelayId, key::PublicKey, mesh};
use flotilla_wire::{DATA_HEADER_LEN, Data, MAX_TICKET_LEN, RelayKey, SessionId, StaticKey};
pub(crate) use frames::Relayed;
use leg::LegState;
use rand::{Rng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A relay that can be reached by UDP has mostly answered by then, and a TLS leg that proves unnecessary costs little.
const TLS_AFTER: Duration = Duration::from_millis(200);
/// How long another home is preferred to an unreachable relay: by then a new round of requests tells whether it is back.
const AVOID: Duration = Duration::from_secs(65);
/// How long the home relay may be unreachable before another one is taken.
const HOME_GRACE: Duration = Duration::from_secs(3);

/// How to send to a peer through a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayRoute {
    pub(crate) relay: RelayId,
    pub(crate) leg: Leg,
    pub(crate) header: [u8; DATA_HEADER_LEN],
}

#[derive(Debug)]
struct Relay {
    key: Option<RelayKey>,
    public_key: PublicKey,
    reflect_port: Option<u16>,
    addresses: Vec<SocketAddr>,
    udp: LegState,
    tls: LegState,
    tls_open: bool,
    tls_asked: bool,
    /// Since when the relay is needed and does not answer.
    missing: Option<Instant>,
    /// The relay was unreachable; until then other relays are preferred as home.
    avoid: Option<Instant>,
}

impl Relay {
    fn up(&self) -> Option<(SessionId, Leg)> {
        let udp = self.udp.up();
        udp.filter(|_| !self.udp.is_silent())
            .or_else(|| self.tls.up())
            .or(udp)
    }

    /// Whether the relay is known to answer.
    fn is_answering(&self) -> bool {
        self.tls.up().is_some() || (self.udp.up().is_some() && !self.udp.is_silent())
    }

    fn tls_due_at(&self) -> Option<Instant> {
        let spared = self.tls_asked || self.tls_open || self.udp.is_promising();
        Some(self.missing.filter(|_| !spared)? + TLS_AFTER)
    }

    /// When the relay counts as unreachable.
    fn gives_up_at(&self) -> Option<Instant> {
        let at = self.missing? + HOME_GRACE;
        Some(self.avoid.map_or(at, |until| until.max(at)))
    }
}

#[derive(Debug)]
pub(crate) struct Relays {
    own: StaticKey,
    rng: StdRng,
    ticket: Option<Vec<u8>>,
    relays: BTreeMap<RelayId, Relay>,
    home: Option<RelayId>,
    /// The home relays of peers.
    needed: BTreeSet<RelayId>,
    outbox: VecDeque<Transmit>,
    leg_requests: VecDeque<(RelayId, bool)>,
}

impl Relays {
    pub(crate) fn new(own: StaticKey, rng: StdRng) -> Self {
        Self {
            own,
            rng,
            ticket: None,
            relays: BTreeMap::new(),
            home: None,
            needed: BTreeSet::new(),
            outbox: VecDeque::new(),
            leg_requests: VecDeque::new(),
        }
    }

    pub(crate) fn apply(
        &mut self,
        relays: &[mesh::Relay],
        ticket: Option<&mesh::RelayTicket>,
        mesh: Option<IpRange>,
        now: Instant,
    ) {
        let ticket = ticket
            .map(|ticket| ticket.0.as_bytes().to_vec())
            .filter(|ticket| ticket.len() <= MAX_TICKET_LEN);
        if ticket != self.ticket {
            self.ticket = ticket;
            // A relay that refused the last ticket may accept this one.
            self.relays
                .values_mut()
                .for_each(|relay| relay.udp.retry_now(now));
        }
        let wanted: BTreeMap<_, _> = relays.iter().map(|relay| (relay.id, relay)).collect();
        let gone = |id: &RelayId, relay: &Relay| {
            wanted
                .get(id)
                .is_none_or(|new| new.public_key != relay.public_key)
        };
        let removed: Vec<_> = self
            .relays
            .iter()
            .filter(|(id, relay)| gone(id, relay))
            .map(|(id, _)| *id)
            .collect();
        for id in removed {
            self.release_tls_leg(id);
            self.relays.remove(&id);
        }
        for relay in relays {
            let addresses = usable(relay.endpoints.iter().filter_map(address::of), mesh);
            let known = self.relays.entry(relay.id).or_insert_with(|| Relay {
                key: RelayKey::of_client(&self.own, relay.public_key).ok(),
                public_key: relay.public_key,
                reflect_port: None,
                addresses,
                udp: LegState::default(),
                tls: LegState::default(),
                tls_open: false,
                tls_asked: false,
                missing: None,
                avoid: None,
            });
            known.reflect_port = relay.reflect_port;
        }
        if self.home.is_some_and(|home| !self.relays.contains_key(&home)) {
            self.home = None;
        }
    }

    pub(crate) fn set_addresses(
        &mut self,
        relay: RelayId,
        addresses: Vec<SocketAddr>,
        mesh: Option<IpRange>,
        now: Instant,
    ) {
        let addresses = usable(addresses, mesh);
        if let Some(relay) = self.relays.get_mut(&relay)
            && relay.addresses != addresses
        {
            relay.addresses = addresses;
            relay.udp.redirect(now);
        }
    }

    /// Addresses and second reflex ports of all relays, to be asked at which address they see this device.
    pub(crate) fn targets(&self) -> BTreeMap<RelayId, (Vec<SocketAddr>, Option<u16>)> {
        self.relays
            .iter()
            .map(|(id, relay)| (*id, (relay.addresses.clone(), relay.reflect_port)))
            .collect()
    }

    /// Sets the relays at which peers listen.
    pub(crate) fn set_needed(&mut self, needed: BTreeSet<RelayId>) {
        self.needed = needed;
    }

    pub(crate) fn home(&self) -> Option<RelayId> {
        self.home
    }

    /// How to reach a peer that listens at relay `id`.
    pub(crate) fn through(&self, id: RelayId, peer: PublicKey) -> Option<RelayRoute> {
        let (session, leg) = self.relays.get(&id)?.up()?;
        let header = Data {
            session,
            key: peer,
            payload: &[],
        }
        .header();
        Some(RelayRoute {
            relay: id,
            leg,
            header,
        })
    }

    /// Something is sent through a relay, so an answer is due.
    pub(crate) fn note_sent(&mut self, id: RelayId, now: Instant) {
        if let Some(relay) = self.relays.get_mut(&id) {
            relay.udp.note_sent(now);
            relay.tls.note_sent(now);
        }
    }

    /// A peer prefers another relay, so this one is asked whether it is still there.
    pub(crate) fn doubt(&mut self, id: RelayId, now: Instant) {
        if let Some(relay) = self.relays.get_mut(&id).filter(|relay| relay.is_answering()) {
            relay.udp.suspect(now);
            relay.tls.suspect(now);
        }
    }

    /// The network may have changed, so each session is asked whether it is still there.
    pub(crate) fn handle_change(&mut self, now: Instant) {
        for relay in self.relays.values_mut() {
            relay.udp.doubt(now);
            relay.tls.doubt(now);
        }
    }

    /// Returns whether a relay came up or went down.
    pub(crate) fn handle_timeout(
        &mut self,
        nearest: impl Fn(RelayId) -> Option<SocketAddr>,
        now: Instant,
    ) -> bool {
        let mut changed = false;
        let (has_ticket, standby) = (self.ticket.is_some(), self.standby());
        let ids: Vec<_> = self.relays.keys().copied().collect();
        for id in ids {
            let listens = self.home == Some(id) || standby == Some(id);
            let wanted = has_ticket && (listens || self.needed.contains(&id));
            let Some(relay) = self.relays.get_mut(&id) else {
                continue;
            };
            let was_up = relay.up();
            let near = nearest(id).map(|near| near.ip());
            let tx = self.rng.random();
            for (leg, bytes) in relay.udp.poll(wanted, &relay.addresses, near, tx, now) {
                self.outbox.push_back(Transmit { leg, bytes });
            }
            let used_tls = !relay.tls.is_off();
            for (leg, bytes) in relay.tls.poll(wanted, &[], None, tx, now) {
                self.outbox.push_back(Transmit { leg, bytes });
            }
            // A TLS leg begins with the relay's challenge, which comes only once, so a leg that is off again is
            // useless.
            let spent_tls = used_tls && relay.tls.is_off();
            changed |= was_up != relay.up();
            if relay.is_answering() {
                relay.avoid = None;
            }
            relay.missing = (wanted && !relay.is_answering()).then(|| relay.missing.unwrap_or(now));
            if relay.gives_up_at().is_some_and(|at| now >= at) {
                relay.avoid = Some(now + AVOID);
                changed = true;
            }
            if relay.tls_due_at().is_some_and(|due| now >= due) {
                relay.tls_asked = true;
                self.leg_requests.push_back((id, true));
            }
            if !wanted || spent_tls {
                self.release_tls_leg(id);
            }
        }
        changed
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        let of_one = |relay: &Relay| {
            [
                relay.udp.timeout(),
                relay.tls.timeout(),
                relay.tls_due_at(),
                relay.gives_up_at(),
            ]
            .into_iter()
            .flatten()
            .min()
        };
        self.relays.values().filter_map(of_one).min()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }
}
