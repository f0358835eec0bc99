//! This device's part of the mesh as it is, and which of its changes are reported to control.
//!
//! A watch gets everything when it begins, and afterwards what changed. Another path is reported at once. A path that
//! has become slower, or has carried more, is reported now and then, since its figures change all the time.

use crate::state::status_file::{MeshStatus, PeerStatus};
use flotilla_protocol::{
    Timestamp,
    agent::Report,
    id::DeviceId,
    mesh::{MeshReport, MeshState, MeshTrouble, Nat, NetworkMap},
    path::PeerPath,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How often figures of an unchanged path are reported.
const FIGURES: Duration = Duration::from_secs(15);

/// How often a round trip that clearly changed is reported.
pub(crate) const ROUND_TRIP: Duration = Duration::from_secs(2);

/// The mesh as this device sees it at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeshSnapshot {
    pub(crate) report: MeshReport,
    pub(crate) paths: BTreeMap<DeviceId, PeerPath>,
}

impl Default for MeshSnapshot {
    fn default() -> Self {
        Self {
            report: MeshReport {
                state: MeshState::Starting,
                revision: 0,
                candidates: Vec::new(),
                home_relay: None,
                nat: Nat::Unknown,
            },
            paths: BTreeMap::new(),
        }
    }
}

impl MeshSnapshot {
    /// The snapshot for a person, with the names that the map has for other devices.
    pub(crate) fn status(&self, map: Option<&NetworkMap>) -> MeshStatus {
        let relay = |path: &PeerPath| {
            let mut relays = map.into_iter().flat_map(|map| &map.relays);
            let relay = relays.find(|relay| Some(relay.id) == path.relay)?;
            Some(relay.name.clone())
        };
        let peers = map.into_iter().flat_map(|map| &map.peers).map(|peer| {
            let path = self.paths.get(&peer.id).cloned();
            PeerStatus {
                name: peer.name.clone(),
                address: peer.address,
                relay: path.as_ref().and_then(relay),
                path,
            }
        });
        let mut peers: Vec<_> = peers.collect();
        peers.sort_by(|a, b| a.name.cmp(&b.name));
        MeshStatus {
            report: self.report.clone(),
            peers,
        }
    }
}

/// How much of the snapshots one watch has been sent.
#[derive(Debug, Default)]
pub(crate) struct ReportCursor {
    report: Option<MeshReport>,
    paths: BTreeMap<DeviceId, (PeerPath, Instant)>,
}

impl ReportCursor {
    /// The reports that are due now; they count as sent.
    pub(crate) fn take_due(&mut self, snapshot: &MeshSnapshot, now: Instant) -> Vec<Report> {
        let mut reports = Vec::new();
        if self.report.as_ref() != Some(&snapshot.report) {
            self.report = Some(snapshot.report.clone());
            reports.push(Report::Mesh(snapshot.report.clone()));
        }
        self.paths.retain(|peer, _| snapshot.paths.contains_key(peer));
        let due = |path: &&PeerPath| match self.paths.get(&path.peer) {
            None => true,
            Some((sent, at)) => is_due(sent, path, now.duration_since(*at)),
        };
        let paths: Vec<_> = snapshot.paths.values().filter(due).cloned().collect();
        if !paths.is_empty() {
            self.paths
                .extend(paths.iter().map(|path| (path.peer, (path.clone(), now))));
            reports.push(Report::Paths { paths });
        }
        reports
    }

    /// Whether a change is held back that becomes due by waiting.
    pub(crate) fn holds_back(&self, snapshot: &MeshSnapshot) -> bool {
        snapshot
            .paths
            .values()
            .any(|path| self.paths.get(&path.peer).is_none_or(|(sent, _)| sent != path))
    }
}

fn is_due(sent: &PeerPath, path: &PeerPath, ago: Duration) -> bool {
    sent != path
        && (differs_beyond_figures(sent, path)
            || ago >= FIGURES
            || (ago >= ROUND_TRIP && has_other_round_trip(sent, path)))
}

/// The path with the moments that are known for it, where they differ by less than clocks do. Moments on a path are
/// measured by a monotonic clock and converted, so the same one may come out a little later the next time.
pub(super) fn with_known_moments(known: Option<&PeerPath>, mut path: PeerPath) -> PeerPath {
    const SAME: Duration = Duration::from_secs(1);
    let Some(known) = known else { return path };
    let is_same = |old: Timestamp, new: Timestamp| old.duration_until(new).unsigned_abs() < SAME;
    if is_same(known.since, path.since) {
        path.since = known.since;
    }
    if let (Some(old), Some(new)) = (known.last_handshake, path.last_handshake)
        && is_same(old, new)
    {
        path.last_handshake = Some(old);
    }
    path
}

/// Whether more than figures differ.
fn differs_beyond_figures(sent: &PeerPath, path: &PeerPath) -> bool {
    let PeerPath {
        peer,
        why,
        relay,
        remote,
        cause,
        rtt_ms,
        since,
        last_handshake,
        received_bytes: _,
        sent_bytes: _,
        mtu,
    } = path;
    (sent.peer, sent.why, sent.relay, sent.remote, sent.cause) != (*peer, *why, *relay, *remote, *cause)
        || (sent.since, sent.mtu) != (*since, *mtu)
        || sent.rtt_ms.is_some() != rtt_ms.is_some()
        || sent.last_handshake.is_some() != last_handshake.is_some()
}

/// Whether the round trip differs clearly: by a fifth, and by what a person would notice.
fn has_other_round_trip(sent: &PeerPath, path: &PeerPath) -> bool {
    match (sent.rtt_ms, path.rtt_ms) {
        (Some(old), Some(new)) => (old - new).abs() > 2.0_f32.max(old / 5.0),
        _ => false,
    }
}

/// Why there is no data plane, as a sentence.
pub(super) fn reason(state: &MeshState) -> String {
    match state {
        MeshState::Down { reason, .. } => reason.clone(),
        _ => "This device is not on the mesh yet.".to_owned(),
    }
}

/// The kind of a trouble, for logging it once.
pub(super) fn class(code: MeshTrouble) -> &'static str {
    match code {
        MeshTrouble::NoTun => "no tun",
        MeshTrouble::RangeOverlap => "range overlap",
        MeshTrouble::InterfaceTaken => "interface taken",
        MeshTrouble::NoUdp => "no udp",
        MeshTrouble::NameServer => "name server",
        MeshTrouble::RouteTaken => "route taken",
        MeshTrouble::ReversePath => "reverse path",
        MeshTrouble::Firewall => "firewall",
        MeshTrouble::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::{path, peer};
    use flotilla_protocol::path::PathReason;

    fn snapshot(path: Option<PeerPath>) -> MeshSnapshot {
        MeshSnapshot {
            paths: path.into_iter().map(|path| (path.peer, path)).collect(),
            ..MeshSnapshot::default()
        }
    }

    #[test]
    fn a_watch_begins_with_everything_and_goes_on_with_changes() {
        let (mut cursor, now) = (ReportCursor::default(), Instant::now());
        let whole = cursor.take_due(&snapshot(Some(path(9.0))), now);
        assert!(matches!(&whole[..], [Report::Mesh(_), Report::Paths { paths }] if paths.len() == 1));
        assert_eq!(cursor.take_due(&snapshot(Some(path(9.0))), now), []);
        let direct = PeerPath {
            why: PathReason::DirectNat,
            ..path(9.0)
        };
        let change = cursor.take_due(&snapshot(Some(direct.clone())), now);
        assert_eq!(change, [Report::Paths { paths: vec![direct] }]);
    }

    #[test]
    fn a_round_trip_that_wavers_is_told_seldom() {
        let (mut cursor, start) = (ReportCursor::default(), Instant::now());
        cursor.take_due(&snapshot(Some(path(20.0))), start);
        let after = |seconds| start + Duration::from_secs(seconds);
        for (seconds, rtt, expected) in [
            (1, 21.0, 0),
            (1, 40.0, 0),
            (3, 21.0, 0),
            (3, 40.0, 1),
            (17, 41.0, 0),
            (19, 41.0, 1),
        ] {
            let wavering = snapshot(Some(path(rtt)));
            let count = cursor.take_due(&wavering, after(seconds)).len();
            assert_eq!(count, expected, "{rtt} ms after {seconds} s");
            assert_eq!(cursor.holds_back(&wavering), expected == 0);
        }
    }

    #[test]
    fn a_moment_that_is_told_a_little_differently_is_the_same() {
        let known = path(9.0);
        let measured = |milliseconds| PeerPath {
            since: Timestamp::from_millisecond(milliseconds).unwrap(),
            ..path(9.0)
        };
        for milliseconds in [-3, 0, 3] {
            assert_eq!(with_known_moments(Some(&known), measured(milliseconds)), known);
        }
        assert_eq!(with_known_moments(Some(&known), measured(5_000)), measured(5_000));
        assert_eq!(with_known_moments(None, measured(3)), measured(3));
    }

    #[test]
    fn a_peer_that_left_and_came_back_is_told_anew() {
        let (mut cursor, now) = (ReportCursor::default(), Instant::now());
        cursor.take_due(&snapshot(Some(path(9.0))), now);
        assert_eq!(cursor.take_due(&snapshot(None), now), []);
        assert!(!cursor.holds_back(&snapshot(None)));
        let back = cursor.take_due(&snapshot(Some(path(9.0))), now);
        assert!(matches!(&back[..], [Report::Paths { paths }] if paths[0].peer == peer()));
    }
}
