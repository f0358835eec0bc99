//! What a device's reports change in the cache, and what of it open pages are told.

use super::{Entry, State};
use flotilla_protocol::{
    Timestamp,
    agent::{ItemRef, Report},
    api::{Resource, ResourceRef},
    id::DeviceId,
    inventory::{EngineState, Inventory, Item, Kind},
    mesh::{MeshReport, MeshState},
};

/// How much a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Something that has to be written to the store.
    Changed,
    /// Figures that change all the time.
    Figures,
    Nothing,
}

impl State {
    /// Applies one report of a device.
    pub(crate) fn hear(&mut self, id: DeviceId, report: Report, now: Timestamp) -> Heard {
        let Some(entry) = self.devices.get_mut(&id) else {
            return Heard::Nothing;
        };
        entry.row.last_seen = Some(now);
        let closed = entry.closed();
        let changed = match report {
            Report::Hello(hello) => {
                entry.known.clock_skew_seconds = Some(hello.sent_at.as_second() - now.as_second());
                set(&mut entry.known.agent_version, hello.agent_version)
                    | set(&mut entry.known.facts, hello.facts)
            }
            Report::Facts(facts) => set(&mut entry.known.facts, facts),
            Report::Engine(engine) => {
                if let EngineState::Running(facts) = &engine {
                    entry.known.was_docker_desktop = facts.docker_desktop;
                }
                set(&mut entry.known.engine, engine)
            }
            Report::Usage(usage) => {
                entry.known.usage = Some(usage);
                return Heard::Figures;
            }
            Report::Inventory(inventory) => {
                let changed = entry.known.inventory != inventory;
                entry.known.inventory = inventory;
                // Also when nothing changed: pages learn that the rows are true again.
                self.publish_inventory(id, now);
                changed
            }
            Report::Upsert { items } => {
                self.upsert(id, items, now);
                true
            }
            Report::Remove { items } => {
                self.forget(id, items);
                true
            }
            Report::Mesh(mesh) => self.hear_mesh(id, mesh, now),
            Report::Paths { paths } => {
                return if self.hear_paths(id, paths, now) {
                    Heard::Figures
                } else {
                    Heard::Nothing
                };
            }
            Report::Endpoints { trials } => {
                let before = std::mem::replace(&mut entry.known.endpoint_trials, trials);
                before != entry.known.endpoint_trials
            }
            Report::Unknown => return Heard::Nothing,
        };
        if self
            .devices
            .get(&id)
            .is_some_and(|entry| entry.closed() != closed)
        {
            self.map_device(id);
            self.publish_paths_of(id, now);
        }
        self.publish_device(id, now);
        if changed { Heard::Changed } else { Heard::Nothing }
    }

    fn hear_mesh(&mut self, id: DeviceId, mut mesh: MeshReport, now: Timestamp) -> bool {
        let Some(entry) = self.devices.get_mut(&id) else {
            return false;
        };
        if let (MeshState::Starting, Some(known)) = (&mesh.state, &entry.known.mesh) {
            // An agent that restarts is soon where it was; until it says otherwise, its peers keep trying there.
            mesh.candidates.clone_from(&known.candidates);
            mesh.home_relay = known.home_relay;
            mesh.nat = known.nat;
        }
        let home = |known: &Option<MeshReport>| known.as_ref().and_then(|mesh| mesh.home_relay);
        let before = home(&entry.known.mesh);
        let changed = set(&mut entry.known.mesh, mesh);
        let moved = home(&entry.known.mesh) != before;
        if changed {
            self.map_device(id);
        }
        if moved {
            self.publish_relays(now);
        }
        changed
    }

    fn upsert(&mut self, id: DeviceId, items: Vec<Item>, now: Timestamp) {
        for item in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            put(&mut entry.known.inventory, item.clone());
            self.live.upsert(|| resource(entry, item, now));
        }
    }

    fn forget(&mut self, id: DeviceId, items: Vec<ItemRef>) {
        for ItemRef { kind, key } in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            take(&mut entry.known.inventory, kind, &key);
            self.live.remove(ResourceRef::Item {
                device_id: id,
                of: kind,
                key,
            });
        }
    }

    /// Tells pages to forget all rows of a device and to take the ones it has.
    pub(crate) fn publish_inventory(&mut self, id: DeviceId, now: Timestamp) {
        let Some(entry) = self.devices.get(&id) else {
            return;
        };
        self.live.remove(ResourceRef::Inventory { device_id: id });
        if self.live.readers() == 0 {
            return;
        }
        for item in all(&entry.known.inventory) {
            self.live.upsert(|| resource(entry, item, now));
        }
    }
}

/// Sets a value; whether that changed it.
fn set<T: PartialEq>(known: &mut Option<T>, value: T) -> bool {
    let changed = known.as_ref() != Some(&value);
    *known = Some(value);
    changed
}

fn resource(entry: &Entry, item: Item, now: Timestamp) -> Resource {
    match item {
        Item::Container(item) => Resource::Container(Box::new(entry.row(item, now))),
        Item::Image(item) => Resource::Image(entry.row(item, now)),
        Item::Volume(item) => Resource::Volume(entry.row(item, now)),
        Item::Network(item) => Resource::Network(entry.row(item, now)),
        Item::Stack(item) => Resource::Stack(entry.row(item, now)),
    }
}

fn all(inventory: &Inventory) -> impl Iterator<Item = Item> {
    let containers = inventory.containers.iter().cloned().map(Item::Container);
    let images = inventory.images.iter().cloned().map(Item::Image);
    let volumes = inventory.volumes.iter().cloned().map(Item::Volume);
    let networks = inventory.networks.iter().cloned().map(Item::Network);
    let stacks = inventory.stacks.iter().cloned().map(Item::Stack);
    containers
        .chain(images)
        .chain(volumes)
        .chain(networks)
        .chain(stacks)
}

fn put(inventory: &mut Inventory, item: Item) {
    fn replace<T>(items: &mut Vec<T>, item: T, same: impl Fn(&T) -> bool) {
        match items.iter_mut().find(|known| same(known)) {
            Some(known) => *known = item,
            None => items.push(item),
        }
    }
    match item {
        Item::Container(item) => {
            let id = item.id.clone();
            replace(&mut inventory.containers, item, |known| known.id == id);
        }
        Item::Image(item) => {
            let id = item.id.clone();
            replace(&mut inventory.images, item, |known| known.id == id);
        }
        Item::Volume(item) => {
            let name = item.name.clone();
            replace(&mut inventory.volumes, item, |known| known.name == name);
        }
        Item::Network(item) => {
            let id = item.id.clone();
            replace(&mut inventory.networks, item, |known| known.id == id);
        }
        Item::Stack(item) => {
            let name = item.name.clone();
            replace(&mut inventory.stacks, item, |known| known.name == name);
        }
    }
}

fn take(inventory: &mut Inventory, kind: Kind, key: &str) {
    match kind {
        Kind::Container => inventory.containers.retain(|item| item.id != key),
        Kind::Image => inventory.images.retain(|item| item.id != key),
        Kind::Volume => inventory.volumes.retain(|item| item.name != key),
        Kind::Network => inventory.networks.retain(|item| item.id != key),
        Kind::Stack => inventory.stacks.retain(|item| item.name != key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::{Cache, Stored},
        clock::Clock,
        store::{
            FleetRow, Known,
            tests::{device, moment},
        },
    };
    use flotilla_protocol::{
        api::LiveFrame,
        device::Usage,
        inventory::{Stack, Volume},
    };

    fn cache() -> (Cache, DeviceId) {
        let row = device("nas", 1);
        let id = row.id;
        let fleet = FleetRow {
            id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            name: None,
            mesh_cidr: "100.71.0.0/16".into(),
            starting_policy: None,
            created: moment(0),
            added_endpoints: vec![],
        };
        let stored = Stored {
            fleet,
            policy: None,
            entries: vec![Entry::new(row, None, Known::default())],
        };
        let cache = Cache::new(stored, Clock::system(), std::time::Instant::now());
        (cache, id)
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
        let mut reader = cache.subscribe();
        reader.next().await;
        let last = {
            let mut state = cache.lock();
            for report in reports {
                state.hear(id, report, moment(5));
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
        assert_eq!(
            cache.lock().device(id).unwrap().known.inventory.stacks,
            [stack("media", 2)]
        );
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
        assert_eq!(cache.lock().hear(id, inventory("b"), moment(6)), Heard::Nothing);
        let gone = Report::Remove {
            items: vec![ItemRef {
                kind: Kind::Volume,
                key: "b".into(),
            }],
        };
        frames(&cache, id, vec![gone]).await;
        assert_eq!(
            cache.lock().device(id).unwrap().known.inventory,
            Inventory::default()
        );
    }

    #[test]
    fn figures_are_kept_and_shown_later() {
        let (cache, id) = cache();
        let before = cache.lock().live.seq();
        assert_eq!(
            cache.lock().hear(id, Report::Usage(Usage::default()), moment(5)),
            Heard::Figures
        );
        assert_eq!(cache.lock().live.seq(), before);
        assert_eq!(cache.lock().device(id).unwrap().row.last_seen, Some(moment(5)));
    }
}
