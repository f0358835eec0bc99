//! Which device is online, reconnecting or offline.
//!
//! Life of a device here: (link up) → online → (link down) → reconnecting for 45 s → offline, and back to online from
//! either. The newest link is the one that counts: when an older one ends, nothing changes. Its owner reports events
//! with `handle_*`, drains `poll_change` until it is empty, and calls [`Presence::handle_timeout`] at the time that
//! `poll_timeout` gives.

use flotilla_protocol::{RECONNECTING_SECONDS, id::DeviceId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

/// How long a device without a link counts as reconnecting.
const RECONNECTING: Duration = Duration::from_secs(RECONNECTING_SECONDS as u64);

/// Whether a device can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceState {
    Online,
    Reconnecting,
    Offline,
}

/// A device's state has changed to `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceChange {
    pub device: DeviceId,
    pub state: PresenceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PresenceEntry {
    Online { link: u64 },
    Reconnecting { until: Instant },
    Offline,
}

/// The presence of a whole fleet.
#[derive(Debug, Default)]
pub struct Presence {
    entries: BTreeMap<DeviceId, PresenceEntry>,
    changes: VecDeque<PresenceChange>,
}

impl Presence {
    /// A device that had enrolled before control started: it counts as reconnecting.
    pub fn handle_known(&mut self, device: DeviceId, now: Instant) {
        if !self.entries.contains_key(&device) {
            self.set(device, PresenceEntry::reconnecting(now));
        }
    }

    /// A link is up. Numbers grow with each link, and a device's link is the one with the highest.
    pub fn handle_up(&mut self, device: DeviceId, link: u64) {
        match self.entries.get(&device) {
            Some(PresenceEntry::Online { link: newest }) if *newest > link => {}
            _ => self.set(device, PresenceEntry::Online { link }),
        }
    }

    /// A link ended.
    pub fn handle_down(&mut self, device: DeviceId, link: u64, now: Instant) {
        if self.entries.get(&device) == Some(&PresenceEntry::Online { link }) {
            self.set(device, PresenceEntry::reconnecting(now));
        }
    }

    /// A device was revoked or removed: its state is forgotten.
    pub fn handle_gone(&mut self, device: DeviceId) {
        self.entries.remove(&device);
    }

    /// Turns devices that reconnected for too long offline.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late: Vec<DeviceId> = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry, PresenceEntry::Reconnecting { until } if *until <= now))
            .map(|(device, _)| *device)
            .collect();
        for device in late {
            self.set(device, PresenceEntry::Offline);
        }
    }

    pub fn poll_change(&mut self) -> Option<PresenceChange> {
        self.changes.pop_front()
    }

    /// When to call [`Presence::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let until = self.entries.values().filter_map(|entry| match entry {
            PresenceEntry::Reconnecting { until } => Some(*until),
            PresenceEntry::Online { .. } | PresenceEntry::Offline => None,
        });
        Some((until.min()?, "a device counts as offline"))
    }

    /// `Offline` for an unknown device.
    pub fn state(&self, device: DeviceId) -> PresenceState {
        self.entries
            .get(&device)
            .map_or(PresenceState::Offline, PresenceEntry::state)
    }

    fn set(&mut self, device: DeviceId, entry: PresenceEntry) {
        let before = self.state(device);
        self.entries.insert(device, entry);
        let state = entry.state();
        if state != before {
            self.changes.push_back(PresenceChange { device, state });
        }
    }
}

impl PresenceEntry {
    fn reconnecting(now: Instant) -> Self {
        let until = now + RECONNECTING;
        Self::Reconnecting { until }
    }

    fn state(&self) -> PresenceState {
        match self {
            Self::Online { .. } => PresenceState::Online,
            Self::Reconnecting { .. } => PresenceState::Reconnecting,
            Self::Offline => PresenceState::Offline,
        }
    }
}

#[cfg(test)]
mod tests;
