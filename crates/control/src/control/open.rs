//! Opens the state that both ports share: keys, store, and the fleet as it was saved.

use crate::{
    access::Access,
    advertise,
    cache::{Cache, DeviceEntry, JobTable, OwnersSsh, StoredFleet, Tickets},
    change::policy,
    clock::Clock,
    config::ControlConfig,
    core::Core,
    data_dir::DataDir,
    effects::carry_out,
    jobs,
    limit::Refusals,
    links::Links,
    provision::Builds,
    repeats::Repeats,
    start::StartError,
    store::{FleetRow, NewActivity, Store, StoreError},
    trust::Trust,
};
use flotilla_fleet::{LAST_CHOICE, choose_range};
use flotilla_protocol::{
    Timestamp,
    activity::{Action, Actor},
    id::FleetId,
};
use parking_lot::Mutex;
use rand::{
    Rng, SeedableRng, TryRngCore,
    rngs::{OsRng, StdRng},
};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Makes the database's file, readable by its owner only, before SQLite writes to it; answers its path.
fn private_database(data_dir: &DataDir) -> Result<PathBuf, StartError> {
    let name = "flotilla.db";
    data_dir.private_file(name).map_err(|error| StartError::Store {
        path: data_dir.file(name),
        reason: error.to_string(),
    })
}

/// Opens everything; `listening` are the addresses of the fleet port and the API port. Answers the shared state and the
/// API's token for this run.
pub(crate) async fn open(
    config: &ControlConfig,
    data_dir: &DataDir,
    listening: (SocketAddr, SocketAddr),
) -> Result<(Arc<Core>, String), StartError> {
    let clock = Clock::system();
    let mut random = StdRng::from_seed(seed()?);
    let database = private_database(data_dir)?;
    let store = Store::open(&database).await?;
    let unreadable = |error: StoreError| StartError::Store {
        path: database.clone(),
        reason: error.to_string(),
    };
    let stored = store.lookup_fleet().await.map_err(unreadable)?;
    let fresh = FleetId::new(clock.now(), random.random());
    let trust = Trust::open(data_dir, stored.as_ref().map(|fleet| fleet.id), fresh, &clock)?;
    let is_new = stored.is_none();
    let fleet = stored.unwrap_or_else(|| new_fleet(&trust, clock.now(), &mut random));
    if is_new {
        store.save_fleet(&fleet).await.map_err(unreadable)?;
    }
    let endpoints = advertise::endpoints(&config.advertise, &fleet.added_endpoints, listening.0);
    let stored = StoredFleet {
        fleet,
        policy: store.lookup_policy().await.map_err(unreadable)?,
        entries: read_entries(&store).await.map_err(unreadable)?,
    };
    let (access, token) = Access::new(seed()?);
    for token in store.list_api_tokens().await.map_err(unreadable)? {
        access.add_token(token);
    }
    let cache = Cache::new(stored, clock.clone(), std::time::Instant::now());
    cache.lock().tickets = read_tickets(&store).await.map_err(unreadable)?;
    let timers_changed = cache.lock().timers_changed.clone();
    let core = Arc::new(Core {
        cache,
        links: Links::default(),
        jobs: JobTable::default(),
        access,
        refusals: Refusals::default(),
        repeats: Repeats::default(),
        trust,
        builds: Builds::new(config.agents_dir.clone()),
        ui: config.ui.clone(),
        api_addr: listening.1,
        write_lock: tokio::sync::Mutex::default(),
        timers_changed,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        streams: crate::api::stream_budget(),
        random: Mutex::new(random),
        relay: Mutex::default(),
        endpoints: Mutex::new(endpoints),
        advertised: config.advertise.clone(),
        fleet_addr: listening.0,
        ssh: OwnersSsh::new("ssh", std::env::home_dir()),
        clock,
        store,
    });
    go_on(&core, is_new).await.map_err(unreadable)?;
    Ok((core, token.reveal().to_owned()))
}

/// Records that a fleet is new, opens it as its owner chose, and takes up the jobs that are not over.
async fn go_on(core: &Core, is_new: bool) -> Result<(), StoreError> {
    if is_new {
        let details = "The fleet's keys were made.";
        core.record(NewActivity::new(Actor::Control, Action::FleetCreated, details))
            .await;
    }
    let effects = policy::apply_starting_policy(core).await?;
    carry_out(core, effects).await;
    jobs::resume(core).await
}

async fn read_tickets(store: &Store) -> Result<Tickets, StoreError> {
    Ok(Tickets {
        ended: store.list_ended_keys().await?,
        last: store.lookup_last_ticket().await?.unwrap_or_default(),
    })
}

fn seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    OsRng
        .try_fill_bytes(&mut seed)
        .map_err(|_| StartError::Randomness)?;
    Ok(seed)
}

/// A new fleet. Its range overlaps none of the networks that this computer is in, if there is such a range.
fn new_fleet(trust: &Trust, now: Timestamp, random: &mut StdRng) -> FleetRow {
    FleetRow {
        id: trust.ca.fleet(),
        name: None,
        mesh_cidr: choose_range(&advertise::local_networks(), random).unwrap_or(LAST_CHOICE),
        starting_policy: None,
        created: now,
        added_endpoints: Vec::new(),
    }
}

/// Every device with its last report, its newest token and its tunnel.
async fn read_entries(store: &Store) -> Result<Vec<DeviceEntry>, StoreError> {
    let mut last_reports = store.list_last_reports().await?;
    let tokens = store.list_newest_tokens().await?.into_iter();
    let mut tokens: BTreeMap<_, _> = tokens.map(|token| (token.device_id, token)).collect();
    let mut tunnels = store.list_tunnels().await?;
    let rows = store.list_devices().await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (id, token) = (row.id, tokens.remove(&row.id));
            let mut entry = DeviceEntry::new(row, token, last_reports.remove(&id).unwrap_or_default());
            entry.tunnel = tunnels.remove(&id);
            entry
        })
        .collect())
}
