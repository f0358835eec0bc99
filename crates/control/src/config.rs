//! What the caller who starts control decides.

use flotilla_protocol::endpoint::Endpoint;
use std::{net::SocketAddr, path::PathBuf};

/// Where control keeps its data and what it listens on.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// Created when absent, readable by its owner only, and locked while control runs.
    pub data_dir: PathBuf,
    /// TCP address for agents and installers; port 0 picks a free one.
    pub fleet_addr: SocketAddr,
    /// Loopback TCP address for people and programs on this computer; port 0 picks a free one.
    pub api_addr: SocketAddr,
    /// Addresses that devices are told; those of this computer's interfaces when empty.
    pub advertise: Vec<Endpoint>,
    /// Agents to serve: `x86_64-linux/flotilla-agent`, `agent-image-amd64.tar` and so on.
    pub agents_dir: Option<PathBuf>,
    /// What control's own relay forwards for all devices together; they share it evenly.
    pub relay_mbit_per_second: u32,
    pub ui: Ui,
}

/// Where the files of the user interface come from.
#[derive(Debug, Clone)]
pub enum Ui {
    /// A folder with a built bundle.
    Dir(PathBuf),
    /// The bundle that was compiled in.
    #[cfg(feature = "embedded-ui")]
    Embedded,
    /// A page that says how to build the bundle.
    None,
}
