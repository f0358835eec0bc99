//! Applies a device's reports to the cache, and publishes the changes.

use super::{
    DeviceEntry, State,
    live::{Removal, Upsert},
};
use crate::report::{BoundedReport, WeighedItem};
use flotilla_protocol::{
    Timestamp,
    agent::ItemRef,
    api::{Resource, ResourceRef},
    id::DeviceId,
    inventory::{EngineState, Item},
    mesh::{MeshReport, MeshState},
};
use std::time::Duration;

/// What a report changed, for the caller who saves and publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportEffect {
    /// A value that has to be saved.
    Changed,
    /// Only figures that change all the time: they are published with a delay.
    Figures,
    Nothing,
}

impl ReportEffect {
    fn of_change(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Nothing }
    }
}

impl State {
    /// How long control waits before it reads the device's next report, after one of so many bytes.
    pub(crate) fn pace(&mut self, id: DeviceId, bytes: usize, now: Timestamp) -> Duration {
        let entry = self.devices.get_mut(&id);
        entry.map_or(Duration::ZERO, |entry| {
            entry.report_pace.charge(bytes as u64, now)
        })
    }

    /// As [`State::pace`], for what many calls ask of the device at once: the bytes are charged only when there is no wait,
    /// and otherwise asked for again after it.
    pub(crate) fn take_pace(&mut self, id: DeviceId, bytes: usize, now: Timestamp) -> Duration {
        let entry = self.devices.get_mut(&id);
        entry.map_or(Duration::ZERO, |entry| {
            let wait = entry.report_pace.wait(bytes as u64, now);
            if wait.is_zero() {
                entry.report_pace.charge(bytes as u64, now);
            }
            wait
        })
    }

    /// Whether control takes over one more job that the device says it has.
    pub(crate) fn takes_claim(&mut self, id: DeviceId, now: Timestamp) -> bool {
        let entry = self.devices.get_mut(&id);
        entry.is_some_and(|entry| entry.claim_pace.take(1, now))
    }

    /// Applies one report of a device.
    pub(crate) fn apply_report(
        &mut self,
        id: DeviceId,
        report: impl Into<BoundedReport>,
        now: Timestamp,
    ) -> ReportEffect {
        let Some(entry) = self.devices.get_mut(&id) else {
            return ReportEffect::Nothing;
        };
        entry.row.last_seen = Some(now);
        let last = &mut entry.last_report;
        let changed = match report.into() {
            BoundedReport::Hello(hello) => {
                last.clock_skew_seconds = Some(hello.sent_at.as_second() - now.as_second());
                set(&mut last.agent_version, hello.agent_version) | set(&mut last.facts, hello.facts)
            }
            BoundedReport::Facts(facts) => set(&mut last.facts, facts),
            BoundedReport::Engine(engine) => {
                if let EngineState::Running(facts) = &engine {
                    last.was_docker_desktop = facts.docker_desktop;
                }
                set(&mut last.engine, engine)
            }
            BoundedReport::Usage(usage) => {
                last.usage = Some(usage);
                return ReportEffect::Figures;
            }
            BoundedReport::Inventory { holdings, partial } => {
                let changed = (&last.inventory, last.partial) != (&holdings, partial);
                if changed {
                    (last.inventory, last.partial) = (holdings, partial);
                }
                // Also when nothing changed: rows that were shown as old are current again.
                self.publish_inventory(id, now);
                changed
            }
            BoundedReport::Upsert(items) => {
                self.upsert(id, items, now);
                true
            }
            BoundedReport::Remove(items) => {
                self.forget(id, items, now);
                true
            }
            BoundedReport::Mesh(mesh) => self.apply_mesh(id, mesh, now),
            BoundedReport::Paths(paths) => {
                return if self.apply_paths(id, paths, now) {
                    ReportEffect::Figures
                } else {
                    ReportEffect::Nothing
                };
            }
            BoundedReport::Endpoints(trials) => {
                let before = std::mem::replace(&mut last.endpoint_trials, trials);
                before != last.endpoint_trials
            }
            BoundedReport::Unknown => return ReportEffect::Nothing,
        };
        self.announce(id, now);
        if self.may_show(id, 1, now) {
            self.publish_device(id, now);
        }
        self.reload_pages_when_due(now);
        ReportEffect::of_change(changed)
    }

    fn apply_mesh(&mut self, id: DeviceId, mut mesh: MeshReport, now: Timestamp) -> bool {
        let Some(entry) = self.devices.get_mut(&id) else {
            return false;
        };
        if let (MeshState::Starting, Some(before)) = (&mesh.state, &entry.last_report.mesh) {
            // An agent that restarts is usually reachable where it was, so its peers keep trying its earlier candidates
            // until it reports others.
            mesh.candidates.clone_from(&before.candidates);
            mesh.home_relay = before.home_relay;
            mesh.nat = before.nat;
        }
        let home_relay = |report: &Option<MeshReport>| report.as_ref().and_then(|mesh| mesh.home_relay);
        super::announcement::accept(&mut mesh.candidates);
        let before = home_relay(&entry.last_report.mesh);
        let changed = set(&mut entry.last_report.mesh, mesh);
        let moved = home_relay(&entry.last_report.mesh) != before;
        if moved {
            self.publish_relays(now);
        }
        changed
    }

    fn upsert(&mut self, id: DeviceId, items: Vec<WeighedItem>, now: Timestamp) {
        let shows = self.may_show(id, items.len(), now);
        for weighed in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            let item = weighed.item.clone();
            let has_room = entry.last_report.inventory.put(weighed);
            entry.last_report.partial |= !has_room;
            if shows && has_room {
                self.live
                    .upsert(|| Upsert::new(entry.audience(), resource(entry, item, now)));
            } else if shows {
                let gone = ResourceRef::Item {
                    device_id: id,
                    of: item.kind(),
                    key: item.key().to_owned(),
                };
                self.live.remove(|| Removal::new(entry.audience(), gone));
            }
        }
    }

    fn forget(&mut self, id: DeviceId, items: Vec<ItemRef>, now: Timestamp) {
        let shows = self.may_show(id, items.len(), now);
        for gone in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            entry.last_report.inventory.take(&gone);
            if shows {
                let gone = ResourceRef::Item {
                    device_id: id,
                    of: gone.kind,
                    key: gone.key,
                };
                self.live.remove(|| Removal::new(entry.audience(), gone));
            }
        }
    }

    /// Publishes all rows of a device in place of those that pages have.
    pub(crate) fn publish_inventory(&mut self, id: DeviceId, now: Timestamp) {
        let holds = self
            .devices
            .get(&id)
            .map(|entry| entry.last_report.inventory.clone());
        let Some(holdings) = holds.filter(|holdings| self.may_show(id, holdings.len() + 1, now)) else {
            return;
        };
        let Some(entry) = self.devices.get(&id) else {
            return;
        };
        let gone = ResourceRef::Inventory { device_id: id };
        self.live.remove(|| Removal::new(entry.audience(), gone));
        if self.live.readers() == 0 {
            return;
        }
        for item in holdings.items() {
            self.live
                .upsert(|| Upsert::new(entry.audience(), resource(entry, item, now)));
        }
    }
}

/// Sets a value; answers whether it changed.
fn set<T: PartialEq>(current: &mut Option<T>, value: T) -> bool {
    let changed = current.as_ref() != Some(&value);
    *current = Some(value);
    changed
}

fn resource(entry: &DeviceEntry, item: Item, now: Timestamp) -> Resource {
    match item {
        Item::Container(item) => Resource::Container(Box::new(entry.row(item, now))),
        Item::Image(item) => Resource::Image(entry.row(item, now)),
        Item::Volume(item) => Resource::Volume(entry.row(item, now)),
        Item::Network(item) => Resource::Network(entry.row(item, now)),
        Item::Stack(item) => Resource::Stack(entry.row(item, now)),
        Item::Unknown => Resource::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Holdings;
    use crate::{
        cache::{Cache, StoredFleet},
        clock::Clock,
        store::{
            FleetRow, LastReport,
            tests::{device, moment},
        },
    };
    use flotilla_protocol::{
        agent::Report,
        api::LiveFrame,
        device::Usage,
        inventory::{Inventory, Kind, Stack, Volume},
    };

    fn cache() -> (Cache, DeviceId) {
        let row = device("nas", 1);
        let id = row.id;
        let fleet = FleetRow {
            id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            name: None,
            mesh_cidr: "100.71.0.0/16".parse().unwrap(),
            starting_policy: None,
            created: moment(0),
            added_endpoints: vec![],
        };
        let stored = StoredFleet {
            fleet,
            policy: None,
            entries: vec![DeviceEntry::new(row, None, LastReport::default())],
        };
        let cache = Cache::new(stored, Clock::system(), std::time::Instant::now());
        (cache, id)
    }

    #[test]
    fn a_device_that_claims_jobs_day_and_night_is_heard_on_a_hundred_a_day() {
        let (cache, id) = cache();
        let mut state = cache.lock();
        let mut taken = |from: i64, to: i64| {
            let claims = (from..to).map(moment);
            claims.filter(|now| state.takes_claim(id, *now)).count()
        };
        assert_eq!(taken(0, 800), 100, "what an agent keeps, at once");
        assert!(
            (99..=100).contains(&taken(800, 800 + 86_400)),
            "and so many in a day"
        );
    }

    fn volume(name: &str) -> Volume {
        let text = format!(r#"{{"name":"{name}","driver":"local","used_by":[]}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn stack(name: &str, running: u32) -> Stack {
        let text = format!(
            r#"{{"name":"{name}","services":[],"running":{running},"total":2,"unhealthy":0,"config_files":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    async fn frames(cache: &Cache, id: DeviceId, reports: Vec<Report>) -> Vec<LiveFrame> {
        let mut reader = cache.subscribe(flotilla_protocol::api::Scope::All);
        reader.next().await;
        let last = {
            let mut state = cache.lock();
            for report in reports {
                state.apply_report(id, report, moment(5));
            }
            state.live.seq()
        };
        let mut frames: Vec<LiveFrame> = vec![];
        while frames.last().is_none_or(|frame| frame.seq < last) {
            frames.push(serde_json::from_str(&reader.next().await.unwrap()).unwrap());
        }
        frames
    }

    #[tokio::test]
    async fn a_change_replaces_its_row_and_pages_get_the_row_and_its_device() {
        let (cache, id) = cache();
        let items = |running| Report::Upsert {
            items: vec![Item::Stack(stack("media", running))],
        };
        let frames = frames(&cache, id, vec![items(1), items(2)]).await;
        assert_eq!(frames.len(), 4);
        assert!(matches!(&frames[2].upsert, Some(Resource::Stack(row)) if row.item.running == 2));
        assert!(matches!(&frames[3].upsert, Some(Resource::Device(_))));
        let state = cache.lock();
        let stacks = state.device(id).unwrap().last_report.inventory.stacks();
        assert_eq!(*stacks["media"].item, stack("media", 2));
    }

    #[tokio::test]
    async fn a_new_inventory_replaces_what_was_known_and_the_same_one_is_not_stored_again() {
        let (cache, id) = cache();
        let inventory = |name| {
            Report::Inventory(Inventory {
                volumes: vec![volume(name)],
                ..Inventory::default()
            })
        };
        let first = frames(&cache, id, vec![inventory("a"), inventory("b")]).await;
        let removed = first
            .iter()
            .filter(|frame| matches!(frame.remove, Some(ResourceRef::Inventory { .. })));
        assert_eq!(removed.count(), 2);
        assert_eq!(
            cache.lock().apply_report(id, inventory("b"), moment(6)),
            ReportEffect::Nothing
        );
        let gone = Report::Remove {
            items: vec![ItemRef {
                kind: Kind::Volume,
                key: "b".into(),
            }],
        };
        frames(&cache, id, vec![gone]).await;
        assert_eq!(
            cache.lock().device(id).unwrap().last_report.inventory,
            Holdings::default()
        );
    }

    #[test]
    fn figures_are_kept_and_shown_later() {
        let (cache, id) = cache();
        let before = cache.lock().live.seq();
        assert_eq!(
            cache
                .lock()
                .apply_report(id, Report::Usage(Usage::default()), moment(5)),
            ReportEffect::Figures
        );
        assert_eq!(cache.lock().live.seq(), before);
        assert_eq!(cache.lock().device(id).unwrap().row.last_seen, Some(moment(5)));
    }
}
