//! Whose key and address a device is known by, whatever it reports.

use super::{super::*, lines};
use crate::{
    cache::State,
    report::BoundedReport,
    testbed::{Testbed, mesh_at, peer},
};
use flotilla_protocol::{
    api::{PolicyInForce, StartingPolicy},
    id::RelayId,
    mesh::MeshReport,
};
use jiff::SignedDuration;

#[tokio::test]
async fn whatever_a_device_reports_others_know_it_by_its_own_key_and_everybody_else_as_before() {
    let (rogue, victim, witness) = (peer("rogue", 1), peer("victim", 2), peer("witness", 3));
    let [id, victim_id, witness_id] = [&rogue, &victim, &witness].map(|entry| entry.row.id);
    let bed = Testbed::with(Ui::None, vec![rogue, victim, witness]).await;
    let mut now = bed.core.clock.now();
    let mut state = bed.core.cache.lock();
    let policy = PolicyInForce {
        revision: 1,
        policy: flotilla_policy::starting(StartingPolicy::OpenLab, None),
        saved: now,
        by: "owner".to_owned(),
    };
    state.set_policy(policy, now);
    state.apply_report(victim_id, Report::Mesh(mesh_at([51_820])), now);
    let known = |state: &State| {
        let map = state.maps.map(witness_id).unwrap();
        let (own, others): (Vec<_>, Vec<_>) = map.peers.into_iter().partition(|peer| peer.id == id);
        let own: Vec<_> = own
            .iter()
            .map(|peer| (peer.public_key, peer.address, peer.plain))
            .collect();
        (own, others, map.relays, map.filter)
    };
    let before = known(&state);
    assert_eq!((before.0.len(), before.1.len()), (1, 1));
    let foreign = MeshReport {
        home_relay: Some(RelayId(victim_id.0)),
        ..mesh_at([51_820])
    };
    let foreign = serde_json::to_string(&Report::Mesh(foreign)).unwrap();
    for line in lines::spoiled(victim_id).into_iter().chain([foreign]) {
        let Ok(report) = serde_json::from_str::<Report>(&line) else {
            continue;
        };
        // Later than the pace at which its addresses are told to others.
        now += SignedDuration::from_secs(11);
        for piece in BoundedReport::from(report).pieces() {
            state.apply_report(id, piece, now);
        }
        assert_eq!(known(&state), before, "{line:.200}");
    }
    let map = state.maps.map(witness_id).unwrap();
    let rogue = map.peers.iter().find(|peer| peer.id == id).unwrap();
    assert_eq!(
        rogue.candidates,
        mesh_at([51_820]).candidates,
        "its last word was told"
    );
}
