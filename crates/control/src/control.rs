//! A running control: started whole or not at all, and stopped in order.

mod log;
mod open;
mod timers;

use crate::{
    access::LinkPurpose,
    api,
    change::{devices, tokens},
    config::ControlConfig,
    core::Core,
    data_dir::DataDir,
    effects::complete,
    fleet_port,
    jobs::{self, kinds::ssh_install},
    relay,
    start::StartError,
};
use flotilla_protocol::{Problem, api::Scope, device::DeviceStatus, enroll::ConfigFile, pin::Pin};
use open::open;
use serde::Serialize;
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::task::TaskTracker;

/// The file that tells programs of this user how to reach the API.
const API_FILE: &str = "api.json";

/// How long open answers may take when control stops.
const DRAIN: Duration = Duration::from_secs(6);

/// What a caller needs to know of a control that is ready; the line that `flotilla serve` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// Always `ready`.
    pub event: &'static str,
    /// Where the API is, without a trailing slash.
    pub api: String,
    /// Where the user interface is, without a code: see [`Control::start_url`].
    pub ui: String,
    /// Where devices reach control.
    pub fleet: String,
    pub ca_pin: Pin,
    pub tls_pin: Pin,
    pub data_dir: PathBuf,
}

/// The fleet in a few numbers, for a tray.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub name: Option<String>,
    pub devices: u32,
    pub online: u32,
    /// Devices that a person should look at.
    pub attention: u32,
}

/// A running control.
#[derive(Debug)]
pub struct Control {
    ready: Ready,
    core: Arc<Core>,
    data_dir: DataDir,
    tasks: TaskTracker,
}

impl Control {
    /// Opens the data directory, listens on both ports and serves until stopped.
    ///
    /// # Errors
    /// The reason that keeps it from starting, with the way out.
    pub async fn start(config: ControlConfig) -> Result<Self, StartError> {
        if !config.api_addr.ip().is_loopback() {
            return Err(StartError::ApiNotLoopback {
                address: config.api_addr,
            });
        }
        let data_dir = DataDir::open(&config.data_dir)?;
        // A control that ended uncleanly left its file behind.
        data_dir.remove(API_FILE);
        flotilla_link::raise_file_limit();
        let fleet = listen(config.fleet_addr, "--fleet-addr", |address| {
            StartError::FleetPortTaken { address }
        })?;
        let api = listen(config.api_addr, "--api-addr", |address| {
            StartError::ApiPortTaken { address }
        })?;
        let (fleet_addr, api_addr) = (bound(&fleet, config.fleet_addr), bound(&api, config.api_addr));
        let (core, token) = open(&config, &data_dir, (fleet_addr, api_addr)).await?;
        relay::start(&core, &data_dir, fleet_addr, config.relay_mbit_per_second)?;
        let url = format!("http://{api_addr}");
        let credentials = serde_json::json!({ "url": url, "token": token }).to_string();
        data_dir.write(API_FILE, &credentials)?;
        let first_endpoint = core.endpoints().into_iter().next();
        let ready = Ready {
            event: "ready",
            ui: format!("{url}/"),
            api: url,
            fleet: first_endpoint.map_or_else(
                || format!("https://{fleet_addr}"),
                |endpoint| format!("https://{endpoint}"),
            ),
            ca_pin: core.trust.ca.pin(),
            tls_pin: core.trust.leaf_key.pin(),
            data_dir: data_dir.path().to_owned(),
        };
        let tasks = serve(&core, fleet, api);
        tracing::info!(api.address = %api_addr, fleet.address = %fleet_addr, "control ready");
        Ok(Self {
            ready,
            core,
            data_dir,
            tasks,
        })
    }

    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The address of the user interface with a code that a start prints: it opens one session within 30 minutes.
    #[must_use]
    pub fn start_url(&self) -> String {
        self.core.sign_in_link(LinkPurpose::Start)
    }

    /// The address of the user interface for the window of this process: its code opens one session within 60 s.
    pub fn window_url(&self) -> String {
        self.core.sign_in_link(LinkPurpose::Window)
    }

    /// Adds this computer to the fleet as a device, or makes a new token for it while it has not enrolled. `None` when
    /// it has enrolled.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn local_enrollment(&self) -> Result<Option<ConfigFile>, Problem> {
        let name = host_name();
        let change = devices::local_enrollment(&self.core, &name);
        complete(&self.core, change).await.map_err(|refusal| refusal.0)
    }

    pub fn summary(&self) -> Summary {
        let now = self.core.clock.now();
        let state = self.core.cache.lock();
        let statuses = state.count_by_status(&Scope::All);
        let attention = state
            .devices()
            .filter(|entry| state.view(entry, &Scope::All, now).needs_attention())
            .count();
        Summary {
            name: state.fleet.name.clone(),
            devices: statuses.values().sum(),
            online: statuses.get(&DeviceStatus::Online).copied().unwrap_or(0),
            attention: u32::try_from(attention).unwrap_or(u32::MAX),
        }
    }

    /// Waits until control has stopped.
    pub async fn stopped(&self) {
        self.core.stop.cancelled().await;
        self.tasks.wait().await;
    }

    /// Ends all links and answers, writes what is unwritten, and releases the data directory.
    pub async fn shutdown(self) {
        self.core.stop.cancel();
        relay::stop(&self.core);
        self.core.tasks.close();
        let drained = async { tokio::join!(self.tasks.wait(), self.core.tasks.wait()) };
        if timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("control stopped with answers still open");
        }
        tokens::save_uses(&self.core).await;
        self.core.store.close().await;
        self.data_dir.remove(API_FILE);
    }
}

fn serve(core: &Arc<Core>, fleet: TcpListener, api: TcpListener) -> TaskTracker {
    let tasks = TaskTracker::new();
    let stop = core.stop.clone();
    tasks.spawn(flotilla_link::serve_tls(
        fleet,
        core.trust.tls.clone(),
        fleet_port::router(core),
        stop.clone(),
    ));
    tasks.spawn(flotilla_link::serve_local(api, api::router(core), stop));
    tasks.spawn(timers::run(core.clone()));
    tasks.spawn(log::run(core.clone()));
    tasks.spawn(jobs::run(core.clone()));
    ssh_install::resume(core);
    tasks.close();
    tasks
}

fn listen(
    address: SocketAddr,
    flag: &'static str,
    taken: impl Fn(SocketAddr) -> StartError,
) -> Result<TcpListener, StartError> {
    flotilla_link::listen(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => taken(address),
        _ => StartError::Listen {
            address,
            flag,
            source,
        },
    })
}

/// The address that the listener has, with the port that the system chose for port 0.
fn bound(listener: &TcpListener, requested: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(requested)
}

#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests;
