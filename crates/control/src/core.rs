//! The state that both ports share: the fleet in memory and on disk, credentials, links and jobs.

use crate::{
    access::{Access, LinkPurpose},
    advertise,
    cache::{Cache, DeviceEntry, JobTable, OwnersSsh, passed},
    clock::Clock,
    config::Ui,
    limit::Refusals,
    links::Links,
    provision::Builds,
    refusal::{Refusal, no_such_device},
    repeats::{RepeatKey, Repeats},
    report::SENTENCE_CHARS,
    store::{NewActivity, Store},
    trust::Trust,
};
use flotilla_fleet::jobs::Now;
use flotilla_link::stream::Budget;
use flotilla_protocol::{
    api::{Fleet, Scope},
    endpoint::Endpoint,
    id::DeviceId,
    name::DeviceName,
    text::shown,
};
use flotilla_relay::Relay;
use parking_lot::{Mutex, MutexGuard};
use rand::rngs::StdRng;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Room for the longest details of an activity: a few sentences, one of which may quote a device.
const DETAILS_CHARS: usize = 4 * SENTENCE_CHARS;

/// One running control's state. Shared by reference.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) cache: Cache,
    pub(crate) links: Links,
    pub(crate) jobs: JobTable,
    pub(crate) access: Access,
    pub(crate) refusals: Refusals,
    pub(crate) repeats: Repeats,
    pub(crate) trust: Trust,
    pub(crate) builds: Builds,
    pub(crate) ui: Ui,
    /// Where the API port listens: a loopback address.
    pub(crate) api_addr: SocketAddr,
    /// Held from reading a device's, the fleet's or the policy's record until the change is written and in the cache,
    /// so that no change is lost to another.
    pub(crate) write_lock: tokio::sync::Mutex<()>,
    /// Notified when the next deadline may be earlier than the one that the timers wait for.
    pub(crate) timers_changed: Arc<Notify>,
    pub(crate) stop: CancellationToken,
    /// Links, jobs, SSH installs and tunnels that run. Control waits for them when it stops, since links save reports
    /// when they end.
    pub(crate) tasks: TaskTracker,
    /// The streams of pages and programs.
    pub(crate) streams: Budget,
    pub(crate) random: Mutex<StdRng>,
    pub(crate) endpoints: Mutex<Vec<Endpoint>>,
    /// Addresses that were given at the start.
    pub(crate) advertised: Vec<Endpoint>,
    /// Where the fleet port listens.
    pub(crate) fleet_addr: SocketAddr,
    pub(crate) ssh: OwnersSsh,
    /// Control's own relay, while it runs.
    pub(crate) relay: Mutex<Option<Relay>>,
}

impl Core {
    pub(crate) fn random(&self) -> MutexGuard<'_, StdRng> {
        self.random.lock()
    }

    pub(crate) fn relay(&self) -> MutexGuard<'_, Option<Relay>> {
        self.relay.lock()
    }

    /// The user interface's address with a new code, which opens one session.
    pub(crate) fn sign_in_link(&self, purpose: LinkPurpose) -> String {
        let code = self.access.open_code(purpose, self.clock.now());
        format!("http://{}/#code={}", self.api_addr, code.reveal())
    }

    /// Where devices reach control, best first.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.lock().clone()
    }

    /// Where one device reaches control: a tunnel's end comes last, because every other way is better.
    pub(crate) fn endpoints_of(&self, device: DeviceId) -> Vec<Endpoint> {
        let state = self.cache.lock();
        let tunnel = state.device(device).and_then(|entry| entry.tunnel.as_ref());
        let tunnel = tunnel.map(crate::store::Tunnel::endpoint);
        drop(state);
        self.endpoints().into_iter().chain(tunnel).collect()
    }

    /// The moment, for the state machine of jobs.
    pub(crate) fn moment(&self) -> Now {
        (self.clock.now(), passed())
    }

    /// An entry of the activity log at a length that can be kept for a year: its details may quote a device.
    pub(crate) fn bounded(entry: NewActivity) -> NewActivity {
        NewActivity {
            details: shown(&entry.details, DETAILS_CHARS),
            ..entry
        }
    }

    /// Writes an entry of the activity log and publishes it. When it can't be written, that is only logged: the change
    /// that it records stays.
    pub(crate) async fn record(&self, entry: NewActivity) {
        let entry = Self::bounded(entry);
        match self.store.append_activity(entry, self.clock.now()).await {
            Ok(entry) => self.cache.lock().publish_activity(entry),
            Err(error) => tracing::error!(%error, "activity not recorded"),
        }
    }

    /// Records an event that callers may cause as often as they like: each kind from each source at most twice a minute.
    pub(crate) async fn record_repeated(&self, what: RepeatKey, entry: NewActivity) {
        if let Some(entry) = self.repeats.handle(what, entry, self.clock.now()) {
            self.record(entry).await;
        }
    }

    /// Records the counts of the minutes that are over.
    pub(crate) async fn record_counts(&self) {
        for entry in self.repeats.poll(self.clock.now()) {
            self.record(entry).await;
        }
    }

    /// A copy of a device.
    pub(crate) fn device(&self, id: DeviceId) -> Result<DeviceEntry, Refusal> {
        let entry = self.cache.lock().device(id).cloned();
        entry.ok_or_else(|| no_such_device(&id.to_string()))
    }

    /// A device name of two words that no device has.
    pub(crate) fn propose_name(&self) -> String {
        let state = self.cache.lock();
        let is_taken = |name: &DeviceName| state.find(name.as_str()).is_some();
        flotilla_fleet::propose_name(is_taken, &mut *self.random()).to_string()
    }

    /// The fleet as callers with this scope see it.
    pub(crate) fn fleet(&self, scope: &Scope) -> Fleet {
        let endpoints = self.endpoints();
        let proposed_name = self.propose_name();
        let state = self.cache.lock();
        let this_computer = state
            .devices()
            .find(|entry| entry.row.this_computer && entry.row.enrolled.is_some());
        let fleet = Fleet {
            id: state.fleet.id,
            name: state.fleet.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            added_endpoints: state.fleet.added_endpoints.clone(),
            reachable_from_outside: endpoints.iter().any(advertise::is_outside),
            endpoints,
            ca_pin: self.trust.ca.pin(),
            tls_pin: self.trust.leaf_key.pin(),
            mesh_cidr: state.fleet.mesh_cidr.to_string(),
            starting_policy: state.fleet.starting_policy,
            this_computer: this_computer.map(|entry| entry.row.id),
            proposed_name,
            agents: self.builds.architectures(),
            as_of: self.clock.now(),
        };
        state.fleet_within(fleet, scope)
    }

    pub(crate) fn publish_fleet(&self) {
        let fleet = self.fleet(&Scope::All);
        self.cache.lock().publish_fleet(fleet);
    }
}
