//! One peer: its part of the map, its session, its paths, and the route of its packets.

pub(crate) mod absence;

use crate::{
    Leg, PathState, Traffic,
    path::{Paths, Way, address::Class},
    relay::RelayRoute,
    session::Session,
};
use absence::Absence;
use flotilla_protocol::{
    cidr::IpRange,
    device::RelayPreference,
    id::{DeviceId, RelayId},
    key::PublicKey,
    mesh::{Nat, RELAYED_MTU},
    path::PathReason,
};
use flotilla_wire::{DATA_HEADER_LEN, ProbeKey, ReplayWindow};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Counters of probes begin at the milliseconds of a start, times 2¹⁶. A peer whose counter leaps by more than a
/// second of these cannot have sent 65 million probes, so it was restarted.
const LEAP: u64 = 1000 << 16;
/// The least pause between two sessions that are offered to a peer because it was restarted, since a peer can claim
/// restarts without end.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);
/// Within this time, a peer that sends through changing relays is followed only once.
const HEARD_BY_PAUSE: Duration = Duration::from_secs(1);

/// The route of a peer's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) leg: Leg,
    /// Put in front of each datagram that goes through a relay.
    pub(crate) header: Option<[u8; DATA_HEADER_LEN]>,
    pub(crate) relay: Option<RelayId>,
    pub(crate) mtu: u16,
}

impl Route {
    pub(crate) fn through(through: &RelayRoute, mtu: u16) -> Self {
        Self {
            leg: through.leg,
            header: Some(through.header),
            relay: Some(through.relay),
            mtu,
        }
    }

    pub(crate) fn direct(remote: SocketAddr, mtu: u16) -> Self {
        Self {
            leg: Leg::Udp(remote),
            header: None,
            relay: None,
            mtu,
        }
    }

    pub(crate) fn header(&self) -> &[u8] {
        self.header.as_ref().map_or(&[], |header| header)
    }
}

/// The facts about one end that explain why a path is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) id: DeviceId,
    pub(crate) preference: RelayPreference,
    pub(crate) nat: Nat,
}

/// The path as the last event described it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathSummary {
    pub(crate) why: PathReason,
    pub(crate) cause: Option<DeviceId>,
    pub(crate) relay: Option<RelayId>,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) mtu: u16,
}

impl PathSummary {
    /// Whether anything but the size differs.
    pub(crate) fn is_another_path(&self, other: &Self) -> bool {
        (self.why, self.relay, self.remote) != (other.why, other.relay, other.remote)
    }
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) end: End,
    pub(crate) key: PublicKey,
    pub(crate) address: IpAddr,
    pub(crate) plain: bool,
    pub(crate) home: Option<RelayId>,
    /// The candidates in the map; the peer itself may have sent newer ones.
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) probe_key: Option<ProbeKey>,
    pub(crate) window: ReplayWindow,
    /// The counter of the peer's last probe.
    pub(crate) counter: Option<u64>,
    /// The peer was restarted, and no session was offered to it since.
    pub(crate) has_begun_anew: bool,
    /// When a session was last offered for that reason.
    pub(crate) renewed: Option<Instant>,
    /// The counter of the last probe to the peer. Each peer has a count of its own, because it accepts only a few
    /// numbers out of order.
    pub(crate) own_counter: u64,
    pub(crate) revision: u64,
    pub(crate) index: u32,
    pub(crate) session: Option<Session>,
    pub(crate) paths: Paths,
    /// The address of a peer that speaks WireGuard only.
    pub(crate) endpoint: Option<SocketAddr>,
    /// Relays that reported that the peer is not connected to them.
    pub(crate) absence: Absence,
    /// The relay that last delivered something from the peer, and since when.
    pub(crate) heard_by: Option<(RelayId, Instant)>,
    pub(crate) relay: Option<RelayRoute>,
    pub(crate) route: Option<Route>,
    /// The beginning of the last packet that may turn out to be too large for the path.
    pub(crate) large: Vec<u8>,
    pub(crate) summary: Option<PathSummary>,
    pub(crate) since: Instant,
    pub(crate) timer: Option<Instant>,
    pub(crate) traffic: Traffic,
}

impl Peer {
    /// Whether direct ways may be used between the two ends.
    pub(crate) fn may_direct(&self, own: &End) -> bool {
        !self.plain
            && own.preference != RelayPreference::Always
            && self.end.preference != RelayPreference::Always
    }

    pub(crate) fn may_relay(&self, own: &End) -> bool {
        !self.plain
            && own.preference != RelayPreference::Never
            && self.end.preference != RelayPreference::Never
    }

    /// The relays to try, best first; `own` are those that this device listens at.
    pub(crate) fn relays(&self, own: [Option<RelayId>; 2], now: Instant) -> impl Iterator<Item = RelayId> {
        let heard_by = self.heard_by.map(|(relay, _)| relay);
        let all = [self.home, heard_by].into_iter().chain(own).flatten();
        all.filter(move |relay| !self.absence.is_from(*relay, now))
    }

    /// Notes the counter of an authentic probe. Returns whether the peer was restarted since the last one, and so
    /// lacks the session that this end has.
    pub(crate) fn note_counter(&mut self, counter: u64) -> bool {
        let before = self
            .counter
            .replace(self.counter.map_or(counter, |last| last.max(counter)));
        let leapt = before.is_some_and(|before| counter > before.saturating_add(LEAP));
        leapt && self.session.as_ref().is_some_and(Session::is_awake)
    }

    /// When a session is to be offered after a restart.
    pub(crate) fn renewal(&self, now: Instant) -> Option<Instant> {
        let soonest = self.renewed.map_or(now, |renewed| renewed + RENEWAL_PAUSE);
        self.has_begun_anew.then_some(soonest)
    }

    /// Whether that time has come; the offer then counts as made.
    pub(crate) fn take_renewal(&mut self, now: Instant) -> bool {
        let is_due = self.renewal(now).is_some_and(|due| due <= now);
        if is_due {
            (self.has_begun_anew, self.renewed) = (false, Some(now));
        }
        is_due
    }

    /// Notes the relay that delivered something from the peer; returns whether it differs from the one before.
    pub(crate) fn note_heard_by(&mut self, relay: RelayId, now: Instant) -> bool {
        let is_news = self
            .heard_by
            .is_none_or(|(before, since)| before != relay && now >= since + HEARD_BY_PAUSE);
        if is_news {
            self.heard_by = Some((relay, now));
        }
        is_news
    }

    pub(crate) fn choose_route(&mut self) {
        self.route = match (self.plain, self.paths.current()) {
            (true, _) => self
                .endpoint
                // A plain peer answers no probes, and datagrams are not fragmented, so a size is used that fits nearly
                // everywhere.
                .map(|endpoint| Route::direct(endpoint, RELAYED_MTU)),
            (false, Some((remote, _))) => Some(Route::direct(remote, self.paths.mtu())),
            (false, None) => {
                let through = |relay| Route::through(relay, self.paths.mtu());
                self.relay.as_ref().map(through)
            }
        };
    }

    /// Describes the route, and why it is what it is.
    pub(crate) fn summarize(&self, own: &End, near: &[IpRange], now: Instant) -> PathSummary {
        let remote = match self.route {
            Some(Route {
                leg: Leg::Udp(remote),
                relay: None,
                ..
            }) => Some(remote),
            _ => None,
        };
        let (why, cause) = match (remote, self.route) {
            (Some(remote), _) => (Class::of(remote.ip(), near).reason(remote.ip()), None),
            (None, Some(_)) => self.why_relayed(own),
            (None, None) => self.why_none(own, now),
        };
        PathSummary {
            why,
            cause,
            relay: self.route.and_then(|route| route.relay),
            remote,
            mtu: self.route.map_or(RELAYED_MTU, |route| route.mtu),
        }
    }

    fn why_relayed(&self, own: &End) -> (PathReason, Option<DeviceId>) {
        let ends = [own, &self.end];
        let first = |test: &dyn Fn(&End) -> bool| ends.iter().find(|end| test(end)).map(|end| end.id);
        if let Some(cause) = first(&|end| end.preference == RelayPreference::Always) {
            return (PathReason::RelayAlways, Some(cause));
        }
        if let Some(cause) = first(&|end| end.nat == Nat::UdpBlocked) {
            return (PathReason::RelayUdpBlocked, Some(cause));
        }
        let hard = |end: &End| end.nat == Nat::EndpointDependent;
        if ends.iter().all(|end| hard(end)) {
            return (PathReason::RelayHardNat, None);
        }
        if self.paths.is_lost() {
            return (PathReason::RelayLost, None);
        }
        // One such NAT is enough, when the other end only lets in addresses that it has sent to.
        match first(&hard) {
            Some(cause) if self.paths.has_failed() => (PathReason::RelayHardNat, Some(cause)),
            _ => (PathReason::RelayTrying, None),
        }
    }

    fn why_none(&self, own: &End, now: Instant) -> (PathReason, Option<DeviceId>) {
        let ends = [own, &self.end];
        if let Some(end) = ends.iter().find(|end| end.preference == RelayPreference::Never) {
            return (PathReason::NoneNever, Some(end.id));
        }
        if self.plain {
            return (PathReason::Unknown, None);
        }
        if self.home.is_some_and(|home| self.absence.is_from(home, now)) {
            return (PathReason::NoneOffline, Some(self.end.id));
        }
        let cause = if self.home.is_none() { self.end.id } else { own.id };
        (PathReason::NoneNoRelay, Some(cause))
    }

    pub(crate) fn state(&self, now: Instant) -> PathState {
        let summary = self.summary.unwrap_or(PathSummary {
            why: PathReason::Unknown,
            cause: None,
            relay: None,
            remote: None,
            mtu: RELAYED_MTU,
        });
        PathState {
            peer: self.end.id,
            why: summary.why,
            relay: summary.relay,
            remote: summary.remote,
            cause: summary.cause,
            rtt: self.route.and_then(|_| self.paths.rtt()),
            since: self.since,
            last_handshake: self
                .session
                .as_ref()
                .and_then(|session| session.last_handshake(now)),
            received_bytes: self.traffic.received_bytes,
            sent_bytes: self.traffic.sent_bytes,
            mtu: summary.mtu,
        }
    }

    /// The route to the peer by exactly this way.
    pub(crate) fn route_by(&self, way: Way) -> Option<Route> {
        match way {
            Way::Direct(remote) => Some(Route::direct(remote, RELAYED_MTU)),
            Way::Relay => self
                .relay
                .as_ref()
                .map(|relay| Route::through(relay, RELAYED_MTU)),
        }
    }
}
