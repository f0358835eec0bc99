//! Puts what other devices are to know of a device into their network maps.
//!
//! Each change is pushed to every device that knows this one, and causes probes from each of them. So changes go into
//! network maps at the pace of [`flotilla_fleet::PacedChanges`], while pages are shown the last report.

use super::{State, announcement::Announcement};
use flotilla_protocol::{Timestamp, id::DeviceId};

impl State {
    /// Compares a device's report with what other devices know of it. A change goes into their maps now, or when its
    /// pace allows.
    pub(crate) fn announce(&mut self, id: DeviceId, now: Timestamp) {
        let entry = self.devices.get(&id);
        if entry.is_some_and(|entry| entry.announcement != Announcement::of(&entry.last_report)) {
            self.pace.handle_change(id, now);
            self.announce_due(now);
            if self.pace.poll_timeout().is_some() {
                self.timers_changed.notify_one();
            }
        }
    }

    /// Puts the announcements into the maps whose time has come.
    pub(super) fn announce_due(&mut self, now: Timestamp) {
        while let Some(id) = self.pace.poll(now) {
            if let Some(entry) = self.devices.get_mut(&id) {
                let closed = entry.closed_reason();
                entry.announcement = Announcement::of(&entry.last_report);
                let is_closed_otherwise = entry.closed_reason() != closed;
                self.map_device(id);
                if is_closed_otherwise && self.may_show(id, 2 * self.devices.len(), now) {
                    self.publish_paths_of(id, now);
                }
            }
        }
    }

    /// When the next held-back announcement is due; `None` when none is held back.
    pub(crate) fn held_back_until(&self) -> Option<Timestamp> {
        self.pace.poll_timeout()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        cache::{DeviceEntry, announcement::MOST_CANDIDATES},
        testbed::{Testbed, mesh_at, peer},
    };
    use flotilla_protocol::{
        agent::Report,
        api::{PolicyInForce, StartingPolicy},
        device::{Device, Facts},
        inventory::{EngineFacts, EngineState},
        mesh::{Candidate, MapPush},
    };
    use std::collections::BTreeSet;

    /// Two devices that may reach each other: one whose reports change, and one that receives maps.
    async fn bed() -> (Testbed, DeviceEntry, DeviceEntry) {
        let (rogue, witness) = (peer("rogue", 1), peer("witness", 2));
        let bed = Testbed::with(crate::Ui::None, vec![rogue.clone(), witness.clone()]).await;
        let policy = PolicyInForce {
            revision: 1,
            policy: flotilla_policy::starting(StartingPolicy::OpenLab, None),
            saved: bed.core.clock.now(),
            by: "owner".to_owned(),
        };
        bed.core.cache.lock().set_policy(policy, bed.core.clock.now());
        (bed, rogue, witness)
    }

    /// The candidate ports of the rogue in the witness's next map push; `None` when there is no push.
    fn pushed(bed: &Testbed, witness: &DeviceEntry) -> Option<Vec<u16>> {
        let mut state = bed.core.cache.lock();
        let push = state.maps.push(witness.row.id)?;
        let (revision, peers) = match push {
            MapPush::Whole(map) => (map.revision, map.peers),
            MapPush::Change(change) => (change.to, change.peers),
            MapPush::Unknown => unreachable!("control knows what it pushes"),
        };
        assert!(state.maps.handle_taken(witness.row.id, revision));
        let ports = |candidates: &[Candidate]| candidates.iter().map(|c| c.address.port()).collect();
        Some(
            peers
                .first()
                .map(|peer| ports(&peer.candidates))
                .unwrap_or_default(),
        )
    }

    #[tokio::test]
    async fn a_device_whose_candidates_never_rest_reaches_others_seldom_and_its_last_word_always() {
        let (bed, rogue, witness) = bed().await;
        pushed(&bed, &witness);
        let mut pushes = 0;
        for n in 0..600 {
            let now = bed.core.clock.now();
            bed.core
                .cache
                .lock()
                .apply_report(rogue.row.id, Report::Mesh(mesh_at([1_000 + n])), now);
            pushes += u32::from(pushed(&bed, &witness).is_some());
            bed.clock.advance(i64::from(n % 10 == 0));
        }
        assert!((6..=13).contains(&pushes), "{pushes} pushes in a minute");
        let shown = bed.core.device(rogue.row.id).unwrap().last_report;
        assert_eq!(
            shown.mesh.unwrap().candidates[0].address.port(),
            1_599,
            "pages see the last one"
        );
        bed.clock.advance(10);
        let now = (bed.core.clock.now(), std::time::Instant::now());
        bed.core.cache.lock().time_passed(now);
        assert_eq!(pushed(&bed, &witness), Some(vec![1_599]));
        assert_eq!(bed.core.cache.lock().held_back_until(), None);
    }

    #[tokio::test]
    async fn what_control_decides_of_a_device_does_not_wait_for_what_it_says() {
        let (bed, rogue, witness) = bed().await;
        for n in 0..20 {
            let now = bed.core.clock.now();
            bed.core
                .cache
                .lock()
                .apply_report(rogue.row.id, Report::Mesh(mesh_at([1_000 + n])), now);
        }
        assert!(bed.core.cache.lock().held_back_until().is_some());
        pushed(&bed, &witness);
        bed.post::<Device>("/devices/rogue/revoke", "{}").await;
        assert_eq!(pushed(&bed, &witness), Some(vec![]), "gone at once");
        bed.clock.advance(10);
        let now = (bed.core.clock.now(), std::time::Instant::now());
        bed.core.cache.lock().time_passed(now);
        assert_eq!(pushed(&bed, &witness), None);
    }

    #[tokio::test]
    async fn an_engine_that_calls_itself_otherwise_again_and_again_does_not_compile_the_policy_each_time() {
        let (bed, rogue, witness) = bed().await;
        pushed(&bed, &witness);
        let facts = Facts {
            containerized: true,
            ..Default::default()
        };
        let before = bed.core.cache.lock().maps.map(witness.row.id).unwrap().revision;
        let mut revisions = BTreeSet::from([before]);
        for n in 0..200 {
            let engine = EngineFacts {
                docker_desktop: n % 2 == 0,
                ..serde_json::from_str(r#"{"flavor":"docker","version":"29.0","api_version":"1.51","os":"","arch":"","storage_driver":"","rootless":false,"docker_desktop":false}"#).unwrap()
            };
            let engine = EngineState::Running(engine);
            let now = bed.core.clock.now();
            let mut state = bed.core.cache.lock();
            state.apply_report(rogue.row.id, Report::Facts(facts.clone()), now);
            state.apply_report(rogue.row.id, Report::Engine(engine), now);
            revisions.extend(state.maps.map(rogue.row.id).map(|map| map.revision));
        }
        assert!(revisions.len() <= 8, "{} maps", revisions.len());
    }

    #[tokio::test]
    async fn of_very_many_candidates_few_are_accepted() {
        let (bed, rogue, witness) = bed().await;
        let now = bed.core.clock.now();
        bed.core
            .cache
            .lock()
            .apply_report(rogue.row.id, Report::Mesh(mesh_at(0..60_000)), now);
        let ports = pushed(&bed, &witness).unwrap();
        assert_eq!(ports, (1..=24).collect::<Vec<_>>());
        let last_report = bed.core.device(rogue.row.id).unwrap().last_report;
        assert_eq!(last_report.mesh.unwrap().candidates.len(), MOST_CANDIDATES);
    }
}
