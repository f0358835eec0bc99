//! The live links, one per device at most, and the agents that held them.

use flotilla_fleet::{Holder, Holders};
use flotilla_link::AgentLink;
use flotilla_protocol::id::DeviceId;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, Semaphore};

/// All live links. Shared by reference.
#[derive(Debug)]
pub(crate) struct Links {
    registry: Mutex<Registry>,
    /// Held while a large report is parsed, so that all devices together take the memory of one.
    pub(crate) reading: Semaphore,
    /// Counts reports and things of newer agents that this control does not know.
    pub(crate) unknown: AtomicUsize,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            registry: Mutex::default(),
            reading: Semaphore::new(1),
            unknown: AtomicUsize::new(0),
        }
    }
}

#[derive(Debug, Default)]
struct Registry {
    let_in: u64,
    live: BTreeMap<DeviceId, AttachedLink>,
    /// The agents that held each device's link since control started, for devices of the fleet.
    holders: BTreeMap<DeviceId, Holders>,
}

#[derive(Debug, Clone)]
pub(crate) struct AttachedLink {
    /// Tells this link from the ones before it.
    pub(crate) number: u64,
    pub(crate) link: AgentLink,
    /// Notified when the agent's settings may have changed.
    pub(crate) settings_changed: Arc<Notify>,
}

impl Links {
    /// How many reports and things were left out because this control does not know them.
    pub(crate) fn count_unknown(&self) -> usize {
        self.unknown.load(Ordering::Relaxed)
    }

    /// The device's link, while it has one.
    pub(crate) fn lookup(&self, device: DeviceId) -> Option<AgentLink> {
        let attached = self.registry.lock().live.get(&device).cloned()?;
        (!attached.link.is_closed()).then_some(attached.link)
    }

    /// Sends a device its settings again, if it has a link.
    pub(crate) fn send_settings(&self, device: DeviceId) {
        if let Some(attached) = self.registry.lock().live.get(&device) {
            attached.settings_changed.notify_one();
        }
    }

    pub(crate) fn send_settings_to_all(&self) {
        for attached in self.registry.lock().live.values() {
            attached.settings_changed.notify_one();
        }
    }

    /// Numbers a link that was just let in. Numbers grow, so the newest link is known however long each upgrade takes.
    pub(crate) fn next_number(&self) -> u64 {
        let mut links = self.registry.lock();
        links.let_in += 1;
        links.let_in
    }

    /// Notes that an agent is about to take the device's link. Answers the agent that it takes turns with, if so.
    pub(crate) fn handle_holder(&self, device: DeviceId, holder: Holder) -> Option<Holder> {
        self.registry
            .lock()
            .holders
            .entry(device)
            .or_default()
            .handle_link(holder)
    }

    /// Forgets which agents held the device's link, so that the next one can't count as taking turns.
    pub(crate) fn forget_holders(&self, device: DeviceId) {
        self.registry.lock().holders.remove(&device);
    }

    /// Makes a link the device's, and ends the one that it had; `None` when that one was let in later.
    pub(crate) fn attach(&self, device: DeviceId, number: u64, link: AgentLink) -> Option<AttachedLink> {
        let mut links = self.registry.lock();
        if links.live.get(&device).is_some_and(|other| other.number > number) {
            return None;
        }
        let attached = AttachedLink {
            number,
            link,
            settings_changed: Arc::default(),
        };
        if let Some(older) = links.live.insert(device, attached.clone()) {
            older.link.abort();
        }
        Some(attached)
    }

    /// Forgets a link; false when another one has taken its place.
    pub(crate) fn detach(&self, device: DeviceId, number: u64) -> bool {
        let mut links = self.registry.lock();
        let newest = links
            .live
            .get(&device)
            .is_some_and(|attached| attached.number == number);
        if newest {
            links.live.remove(&device);
        }
        newest
    }
}
