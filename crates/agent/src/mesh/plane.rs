//! A running data plane with what belongs to it: its events, and the TLS legs that it asked for.

use super::{leg, lookup::Lookups, map_file::MapRecord, setup::Setup};
use flotilla_link::Target;
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, RelayId},
    mesh::{Candidate, CandidateKind, NetworkMap, Relay},
    path::PathAttempt,
};
use flotilla_tunnel::{Attempt, Event, Events, Tunnel, TunnelConfig, TunnelError};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

pub(super) struct Plane {
    tunnel: Arc<Tunnel>,
    pub(super) events: Events,
    legs: BTreeMap<RelayId, AbortOnDropHandle<()>>,
    lookups: Lookups,
    /// The relays of the map in force.
    relays: Vec<Relay>,
    /// Addresses of this device's interfaces, as the data plane last reported them.
    local: Vec<Candidate>,
    /// Tests of paths that are under way: each waits for answers for about two seconds.
    tests: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Plane {
    /// Starts a data plane on the last one's UDP port, by which NATs and peers know this device; on any other port
    /// where that one is taken.
    pub(super) fn start(setup: &Setup, record: &MapRecord) -> Result<Self, TunnelError> {
        let MapRecord { map, began, .. } = record;
        let config = |listen_port| TunnelConfig {
            interface: setup.surroundings.tun_name.clone(),
            private_key: setup.private_key.clone(),
            device: setup.device,
            listen_port,
            not_before_unix_ms: *began,
            map: Some(map.clone()),
        };
        let (tunnel, events) = match Tunnel::start(config(record.listen_port)) {
            Err(TunnelError::NoUdp { .. }) if record.listen_port != 0 => Tunnel::start(config(0))?,
            started => started?,
        };
        let mut lookups = Lookups::default();
        lookups.start(map);
        Ok(Self {
            tunnel: Arc::new(tunnel),
            events,
            legs: BTreeMap::new(),
            lookups,
            relays: map.relays.clone(),
            local: Vec::new(),
            tests: FuturesUnordered::new(),
        })
    }

    pub(super) fn tunnel(&self) -> &Tunnel {
        &self.tunnel
    }

    pub(super) async fn apply(&mut self, map: &NetworkMap) -> Result<(), TunnelError> {
        self.tunnel.apply(map.clone()).await?;
        if self.relays != map.relays {
            self.legs
                .retain(|relay, _| map.relays.iter().any(|known| known.id == *relay));
            self.relays.clone_from(&map.relays);
            self.lookups.start(map);
        }
        Ok(())
    }

    pub(super) fn look_up_again(&mut self, map: &NetworkMap) {
        self.lookups.start(map);
    }

    /// Waits for the next event, which is the caller's. Relays that were looked up meanwhile are passed to the data
    /// plane.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            tokio::select! {
                event = self.events.recv() => return event.unwrap_or(Event::Ended(TunnelError::Ended)),
                (relay, addresses) = self.lookups.next() => {
                    self.tunnel.set_relay_addresses(relay, addresses);
                }
                Some(()) = self.tests.next() => {}
            }
        }
    }

    /// Opens a leg that the data plane asks for.
    pub(super) fn open_leg(&mut self, relay: RelayId, target: Target) {
        let tunnel = Arc::downgrade(&self.tunnel);
        self.legs.insert(relay, leg::start(relay, target, tunnel));
    }

    pub(super) fn close_leg(&mut self, relay: RelayId) {
        self.legs.remove(&relay);
    }

    /// Whether the device has other addresses than before; connections from the old ones are dead then, without any
    /// error.
    pub(super) fn has_moved(&mut self, candidates: &[Candidate]) -> bool {
        let local: Vec<_> = candidates
            .iter()
            .filter(|candidate| candidate.kind == CandidateKind::Local)
            .copied()
            .collect();
        let before = std::mem::replace(&mut self.local, local);
        !before.is_empty() && before != self.local
    }

    /// The relays to which a leg is open or being opened.
    pub(super) fn legs(&self) -> Vec<RelayId> {
        self.legs.keys().copied().collect()
    }

    /// Starts a test beside everything else; it answers when it is done, and ends with the plane.
    pub(super) fn test_path(
        &mut self,
        peer: DeviceId,
        map: &NetworkMap,
        answer: oneshot::Sender<Result<Vec<PathAttempt>, Problem>>,
    ) {
        let (tunnel, map) = (self.tunnel.clone(), map.clone());
        let test = async move {
            let tried = tunnel.test_path(peer).await;
            let attempts = tried.map(|tried| tried.iter().map(|tried| attempt(tried, peer, &map)).collect());
            // The caller may be gone by now, with its link.
            let _ = answer.send(attempts.map_err(|error| Code::Unavailable.because(error.to_string())));
        };
        self.tests.push(test.boxed());
    }
}

/// An attempt as people read it: `Local 192.168.1.20:7000`, `Relay controller`.
fn attempt(tried: &Attempt, peer: DeviceId, map: &NetworkMap) -> PathAttempt {
    let relay = map.relays.iter().find(|relay| Some(relay.id) == tried.relay);
    let candidates = map.peers.iter().filter(|known| known.id == peer);
    let kind = candidates
        .flat_map(|peer| &peer.candidates)
        .find(|candidate| Some(candidate.address) == tried.remote)
        .map(|candidate| candidate.kind);
    let target = match (tried.remote, relay) {
        (Some(remote), _) => match kind {
            Some(CandidateKind::Local) => format!("Local {remote}"),
            Some(CandidateKind::Reflexive) => format!("Public {remote}"),
            _ => format!("Observed {remote}"),
        },
        (None, Some(relay)) => format!("Relay {}", relay.name),
        (None, None) => "Relay".to_owned(),
    };
    PathAttempt {
        target,
        rtt_ms: tried.rtt.map(|rtt| rtt.as_secs_f32() * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::{map, peer, relay};
    use std::time::Duration;

    #[test]
    fn an_attempt_is_named_by_what_the_map_knows_of_its_target() {
        let mut map = map(1);
        let address = |text: &str| text.parse().unwrap();
        map.peers[0].candidates = [
            (CandidateKind::Local, "192.168.1.20:7000"),
            (CandidateKind::Reflexive, "198.51.100.7:7000"),
        ]
        .map(|(kind, text)| Candidate {
            kind,
            address: address(text),
        })
        .into();
        let tried = |remote: Option<&str>, relay| Attempt {
            remote: remote.map(address),
            relay,
            rtt: Some(Duration::from_millis(3)),
        };
        for (tried, target) in [
            (tried(Some("192.168.1.20:7000"), None), "Local 192.168.1.20:7000"),
            (tried(Some("198.51.100.7:7000"), None), "Public 198.51.100.7:7000"),
            (tried(Some("198.51.100.7:9"), None), "Observed 198.51.100.7:9"),
            (tried(None, Some(relay())), "Relay controller"),
        ] {
            let attempt = attempt(&tried, peer(), &map);
            assert_eq!((attempt.target.as_str(), attempt.rtt_ms), (target, Some(3.0)));
        }
    }
}
