//! The agent: the one Flotilla program on a device.
//!
//! It enrolls once, with a one-time token, and from then on holds a single outbound link to control, on which control
//! calls it. It listens on no port but the mesh's UDP socket. It needs a directory for its state and, for containers,
//! the engine's socket; without an engine it is still a device, and reports why it has no containers.
//!
//! [`run`] is the whole agent. The program `flotilla-agent` calls it, and so do, by [`run_embedded`], the desktop
//! application and `flotilla serve --local-agent` for the computer they run on.
//!
//! A module imports only what is below it in this list, and `tests/tests/house.rs` checks that:
//!
//! - `embedded`, `install`: the agent in control's own process, and as a service of systemd.
//! - `agent`: the daemon's life, from its start to its exit.
//! - `enroll`: from a config file or environment to a certificate.
//! - `link`: the connection to control: dialed, kept, dialed again.
//! - `api`: what control may ask on it.
//! - `relay`: passing packets on for other devices.
//! - `jobs`: acts that take long or take things apart; each is finished or undone, even when agent or link end
//!   meanwhile.
//! - `mesh`: the network map, and the data plane that runs on it, with control or without.
//! - `machine`: facts and figures of the device, and its time.
//! - `status`: how the agent fares, for a person on the device.
//! - `state`: what survives a restart.
//! - `complaint`, `exit`, `log`: what retry loops log, how an agent ends, and the log of every program of ours.

mod agent;
mod api;
mod complaint;
mod embedded;
mod enroll;
mod exit;
mod install;
mod jobs;
mod link;
mod log;
mod machine;
mod mesh;
mod relay;
mod state;
mod status;

pub use agent::{AgentConfig, carry_out, pause, run};
pub use embedded::run_embedded;
pub use enroll::source::{EnrollmentSource, Environment};
pub use exit::Exit;
pub use flotilla_engine::{Destination, Move};
pub use install::{CONFIG_FILE, InstallError, PROGRAM, RunAs, STATE_DIR, install, uninstall};
pub use log::log_to_stderr;
pub use mesh::TUN_NAME;
pub use relay::relay;
pub use state::status_file::{LinkStatus, MeshStatus, PeerStatus};
pub use status::{EnrolledDevice, Status, StatusError, status};

/// Version of this agent.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;
