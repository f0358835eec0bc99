//! What keeps the data plane going beside packets: probes, relay frames, timers and events.

use super::{Mesh, PeerIndex};
use crate::{
    Attempt, DropReason, Event, Leg, Opened, Transmit,
    path::{
        Way,
        address::{canonical, is_probable},
    },
    peer::Route,
    relay::Relayed,
    session::{Session, TICK},
};
use flotilla_protocol::id::RelayId;
use flotilla_wire::{Frame, Probe, SealedProbe};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

/// A handshake that went out before its path was known is sent again at once, but not more often than this.
const HANDSHAKE_AGAIN: Duration = Duration::from_millis(300);
/// While packets wait for a handshake it is sent again after this time, sooner than WireGuard alone would.
const HANDSHAKE_IMPATIENT: Duration = Duration::from_secs(1);

/// A placeholder where an address is required and none exists.
const UNSPECIFIED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl Mesh {
    pub fn handle_timeout(&mut self, now: Instant) {
        for (to, bytes) in self.reflect.handle_timeout(now) {
            self.transmits.push_back(Transmit {
                leg: Leg::Udp(to),
                bytes,
            });
        }
        self.drive_relays(now);
        self.update_reachability(now);
        while let Some(index) = self.peers.poll_due(now) {
            if let Some(peer) = self.peers.get_mut(index) {
                peer.paths.handle_timeout(now);
            }
            self.settle(index, now);
        }
        if self.next_tick.is_none_or(|next| now >= next) {
            self.next_tick = Some(now + TICK);
            for index in self.awake.iter().copied().collect::<Vec<_>>() {
                self.tick(index, now);
            }
        }
    }

    fn drive_relays(&mut self, now: Instant) {
        self.choose_home(now);
        let reflect = &self.reflect;
        if self
            .relays
            .handle_timeout(|relay| reflect.nearest(relay).map(|(address, _)| address), now)
        {
            self.reflect.retry_now(now);
            self.choose_home(now);
            self.settle_all(now);
        }
    }

    /// Ticks a session, and sends what it asks for.
    pub(super) fn tick(&mut self, index: PeerIndex, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else {
            self.awake.remove(&index);
            return;
        };
        let Some(session) = &mut peer.session else { return };
        let len = session.tick(&mut self.scratch, now);
        let impatient = session
            .stuck_since()
            .is_some_and(|since| now >= since + HANDSHAKE_IMPATIENT);
        let len = match len {
            None if impatient && session.is_awake() => session.initiate(&mut self.scratch, now),
            len => len,
        };
        if !session.is_awake() {
            self.awake.remove(&index);
        }
        if let Some(len) = len {
            self.send_scratch(index, len);
        }
    }

    /// Sends the scratch buffer's contents along the peer's route.
    pub(super) fn send_scratch(&mut self, index: PeerIndex, len: usize) {
        let route = self.peers.get(index).and_then(|peer| peer.route);
        match (route, self.scratch.get(..len)) {
            (Some(route), Some(bytes)) => {
                let transmit = transmit_along(&route, bytes);
                self.transmits.push_back(transmit);
            }
            _ => {
                self.drop(DropReason::NoPath);
            }
        }
    }

    pub(super) fn settle_all(&mut self, now: Instant) {
        for index in self.peers.indices() {
            self.settle(index, now);
        }
    }

    /// Brings everything about a peer up to date after a change: probes to send, its route, events, and the next
    /// timer.
    pub(super) fn settle(&mut self, index: PeerIndex, now: Instant) {
        self.choose_relay(index, now);
        self.send_queries(index, now);
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let before = peer.route;
        peer.choose_route();
        let after = peer.route;
        let rerouted = after.is_some() && before.map(|route| route.leg) != after.map(|route| route.leg);
        let is_renewed = peer.take_renewal(now);
        let timer = [
            peer.paths.poll_timeout(),
            peer.absence.until(now),
            peer.renewal(now),
        ];
        self.peers.schedule(index, timer.into_iter().flatten().min());
        self.report_changes(index, now);
        if is_renewed {
            self.begin_handshake(index, now);
        } else if rerouted {
            self.restart_handshake(index, before.is_some(), now);
        }
        if let (Some(before), Some(after)) = (before, after)
            && after.mtu < before.mtu
        {
            self.recall_large(index, after.mtu);
        }
    }

    fn choose_relay(&mut self, index: PeerIndex, now: Instant) {
        let own = [self.relays.home(), self.relays.standby()];
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let best = peer
            .relays(own, now)
            .find_map(|relay| self.relays.through(relay, peer.key));
        let best = best.filter(|_| peer.may_relay(&self.own));
        if best != peer.relay {
            peer.paths.set_relay(false, now);
        }
        peer.relay = best;
        peer.paths.set_relay(best.is_some(), now);
    }

    fn report_changes(&mut self, index: PeerIndex, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let summary = peer.summarize(&self.own, &self.near, now);
        if peer.summary != Some(summary) {
            if peer.summary.is_none_or(|old| old.is_another_path(&summary)) {
                peer.since = now;
            }
            peer.summary = Some(summary);
            self.events.push_back(Event::Path(peer.state(now)));
        }
        if let Some(answers) = peer.paths.poll_test() {
            let relay = peer.relay.map(|relay| relay.relay);
            let tried = answers.into_iter().map(|(way, rtt)| match way {
                Way::Direct(remote) => Attempt {
                    remote: Some(remote),
                    relay: None,
                    rtt,
                },
                Way::Relay => Attempt {
                    remote: None,
                    relay,
                    rtt,
                },
            });
            let (peer, attempts) = (peer.end.id, tried.collect());
            self.events.push_back(Event::Tested { peer, attempts });
        }
    }

    /// Sends the last handshake again when it may have been lost: certainly when there was no route for it, and
    /// probably when it is older than [`HANDSHAKE_AGAIN`].
    fn restart_handshake(&mut self, index: PeerIndex, had_route: bool, now: Instant) {
        let session = self.peers.get(index).and_then(|peer| peer.session.as_ref());
        if session
            .and_then(Session::stuck_since)
            .is_some_and(|since| !had_route || since == now || now >= since + HANDSHAKE_AGAIN)
        {
            self.begin_handshake(index, now);
        }
    }

    fn begin_handshake(&mut self, index: PeerIndex, now: Instant) {
        let Some(session) = self.peers.get_mut(index).and_then(|peer| peer.session.as_mut()) else {
            return;
        };
        let len = session.initiate(&mut self.scratch, now);
        self.awake.insert(index);
        if let Some(len) = len {
            self.send_scratch(index, len);
        }
    }

    pub(super) fn open_frame<'o>(
        &mut self,
        from: Leg,
        datagram: &[u8],
        out: &'o mut [u8],
        now: Instant,
    ) -> Opened<'o> {
        let frame = match Frame::parse(datagram) {
            Ok(frame) => frame,
            Err(_) => return Opened::Dropped(self.drop(DropReason::Malformed)),
        };
        match (frame, from) {
            (Frame::Probe(probe), Leg::Udp(remote)) => {
                self.open_probe(&probe, Way::Direct(remote), None, now)
            }
            (Frame::ReflectAnswer { tx, observed }, Leg::Udp(remote)) => {
                if !self.reflect.handle_answer(tx, remote, observed, now) {
                    return Opened::Dropped(self.drop(DropReason::Replayed));
                }
                self.choose_home(now);
                self.update_reachability(now);
                Opened::Consumed
            }
            (frame, _) => self.open_relayed(from, frame, out, now),
        }
    }

    fn open_relayed<'o>(
        &mut self,
        from: Leg,
        frame: Frame<'_>,
        out: &'o mut [u8],
        now: Instant,
    ) -> Opened<'o> {
        match self.relays.handle_frame(from, frame, now) {
            Relayed::Data {
                relay,
                source,
                payload,
            } => {
                let Some(index) = self.peers.by_key(source) else {
                    return Opened::Dropped(self.drop(DropReason::UnknownPeer));
                };
                if !flotilla_wire::is_ours(payload) {
                    return self.open_wireguard(payload, Way::Relay, Some((relay, index)), out, now);
                }
                match Frame::parse(payload) {
                    Ok(Frame::Probe(probe)) => self.open_probe(&probe, Way::Relay, Some((relay, index)), now),
                    _ => Opened::Dropped(self.drop(DropReason::Malformed)),
                }
            }
            Relayed::Gone { relay, peer } => {
                let Some(index) = self.peers.by_key(peer) else {
                    return Opened::Consumed;
                };
                if let Some(peer) = self.peers.get_mut(index) {
                    peer.absence.note(relay, now);
                }
                self.settle(index, now);
                Opened::Consumed
            }
            Relayed::Control { changed } => {
                if changed {
                    self.update_reachability(now);
                    self.settle_all(now);
                }
                Opened::Consumed
            }
            Relayed::NotAuthentic => Opened::Dropped(self.drop(DropReason::Forged)),
        }
    }

    fn open_probe<'o>(
        &mut self,
        sealed: &SealedProbe<'_>,
        way: Way,
        by: Option<(RelayId, PeerIndex)>,
        now: Instant,
    ) -> Opened<'o> {
        let named = self.peers.by_hint(sealed.hint());
        let Some(index) = named.filter(|index| by.is_none_or(|(_, source)| source == *index)) else {
            return Opened::Dropped(self.drop(DropReason::UnknownPeer));
        };
        let Some(peer) = self.peers.get_mut(index) else {
            return Opened::Dropped(self.drop(DropReason::UnknownPeer));
        };
        let Some(probe) = peer.probe_key.as_ref().and_then(|key| key.open(sealed).ok()) else {
            return Opened::Dropped(self.drop(DropReason::Forged));
        };
        if !peer.window.accept(sealed.counter()) {
            return Opened::Dropped(self.drop(DropReason::Replayed));
        }
        let has_begun_anew = peer.note_counter(sealed.counter());
        let allowed = match way {
            Way::Direct(_) => peer.may_direct(&self.own),
            Way::Relay => peer.may_relay(&self.own),
        };
        if let Some((relay, _)) = by {
            self.note_relay(index, relay, now);
        }
        if allowed {
            self.handle_probe(index, probe, way, by.map(|(relay, _)| relay), now);
        }
        // Sent after the pong, because a peer without a path cannot answer a handshake.
        if let Some(peer) = self.peers.get_mut(index).filter(|_| has_begun_anew) {
            peer.has_begun_anew = true;
            self.settle(index, now);
        }
        Opened::Consumed
    }

    /// A relay delivered something from a peer; returns whether that changes anything.
    pub(super) fn note_relay(&mut self, index: PeerIndex, by: RelayId, now: Instant) -> bool {
        let Some(peer) = self.peers.get_mut(index) else {
            return false;
        };
        let is_news = peer.note_heard_by(by, now);
        if let Some(used) = peer.relay.filter(|used| is_news && used.relay != by) {
            self.relays.doubt(used.relay, now);
        }
        peer.absence.end(by) || is_news
    }

    fn handle_probe(&mut self, index: PeerIndex, probe: Probe, way: Way, by: Option<RelayId>, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        match probe {
            Probe::Ping { tx } => {
                peer.paths.handle_ping(way, &self.near, now);
                let observed = match way {
                    Way::Direct(from) => from,
                    Way::Relay => UNSPECIFIED,
                };
                self.settle(index, now);
                let back = self.answer_route(index, way, by);
                self.send_probe_along(index, back, &Probe::Pong { tx, observed }, 0);
                return;
            }
            Probe::Pong { tx, .. } => peer.paths.handle_pong(tx, way, now),
            Probe::Candidates { revision, addresses } => {
                if revision < peer.revision {
                    return;
                }
                peer.revision = revision;
                let addresses = addresses.iter().copied().map(canonical);
                let addresses: Vec<_> = addresses
                    .filter(|address| is_probable(*address, self.range))
                    .collect();
                peer.paths.handle_call(&addresses, &self.near, now);
            }
        }
        self.settle(index, now);
    }
}

pub(super) fn transmit_along(route: &Route, datagram: &[u8]) -> Transmit {
    let mut bytes = Vec::with_capacity(route.header().len() + datagram.len());
    bytes.extend_from_slice(route.header());
    bytes.extend_from_slice(datagram);
    Transmit {
        leg: route.leg,
        bytes,
    }
}
