//! Sends probes: pings, calls and answers.

use super::{Mesh, PeerIndex, upkeep::transmit_along};
use crate::{
    path::{Query, Way},
    peer::Route,
    session::OVERHEAD,
};
use flotilla_protocol::{id::RelayId, mesh::RELAYED_MTU};
use flotilla_wire::Probe;
use std::time::Instant;

impl Mesh {
    pub(super) fn send_queries(&mut self, index: PeerIndex, now: Instant) {
        while let Some((way, query)) = self.peers.get_mut(index).and_then(|peer| peer.paths.poll_query()) {
            match query {
                Query::Ping { tx, mtu } => {
                    let length = mtu.map_or(0, |mtu| usize::from(mtu) + OVERHEAD);
                    self.send_probe(index, way, &Probe::Ping { tx }, length);
                }
                Query::Candidates => {
                    let addresses = self.own_candidates().into_iter().collect();
                    let revision = self.revision;
                    self.send_probe(index, way, &Probe::Candidates { revision, addresses }, 0);
                }
            }
            if way == Way::Relay
                && let Some(relay) = self.peers.get(index).and_then(|peer| peer.relay)
            {
                self.relays.note_sent(relay.relay, now);
            }
        }
    }

    fn send_probe(&mut self, index: PeerIndex, way: Way, probe: &Probe, length: usize) {
        let route = self.peers.get(index).and_then(|peer| peer.route_by(way));
        self.send_probe_along(index, route, probe, length);
    }

    /// `length` is the size that the probe is padded to.
    pub(super) fn send_probe_along(
        &mut self,
        index: PeerIndex,
        route: Option<Route>,
        probe: &Probe,
        length: usize,
    ) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let (Some(key), Some(route)) = (&peer.probe_key, route) else {
            return;
        };
        peer.own_counter += 1;
        if let Some(len) = key.seal(probe, peer.own_counter, length, &mut self.scratch)
            && let Some(bytes) = self.scratch.get(..len)
        {
            self.transmits.push_back(transmit_along(&route, bytes));
        }
    }

    /// The route of an answer. A probe that came through a relay is answered through the same relay, whatever the best
    /// path is, because a relay passes much only to keys that it has seen answer.
    pub(super) fn answer_route(&self, index: PeerIndex, way: Way, by: Option<RelayId>) -> Option<Route> {
        let peer = self.peers.get(index)?;
        let through = by.and_then(|relay| self.relays.through(relay, peer.key));
        through.map_or_else(
            || peer.route_by(way),
            |through| Some(Route::through(&through, RELAYED_MTU)),
        )
    }
}
