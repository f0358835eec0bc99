//! The agent: the one Flotilla program on a device.
//!
//! It enrolls once, with a one-time token, and from then on holds a single outbound link to control, on which control
//! calls it. It listens on no port but the mesh's UDP socket. It needs a directory for its state and, for containers,
//! the engine's socket; without an engine it is still a device, and reports why it has no containers.
//!
//! [`run`] is the whole agent. The program `flotilla-agent` calls it, and so do, by [`run_embedded`], the desktop
//! application and `flotilla serve --local-agent` for the computer they run on.
//!
//! - `enrollment`, `enroll`: from a config file or environment to a certificate.
//! - `state`, `disk`, `secret`: what survives a restart, and how it survives a power cut.
//! - `link`, `api`: the connection to control, and what control may ask on it.
//! - `jobs`: acts that take long or take things apart; each is finished or undone, even when agent or link end
//!   meanwhile.
//! - `mesh`: the network map, and the data plane that runs on it, with control or without.
//! - `relay`: passing packets on for other devices.
//! - `machine`, `clock`: facts and figures of the device, and its time.
//! - `install`: the agent as a service of systemd. `log`: the log of every program of ours.

mod agent;
mod api;
mod clock;
mod complaint;
mod disk;
mod embedded;
mod endpoint_trials;
mod enroll;
mod enrollment;
mod exit;
mod install;
mod jobs;
mod link;
mod log;
mod machine;
mod mesh;
mod own_address;
mod relay;
mod secret;
mod state;
mod status;

pub use agent::{AgentConfig, carry_out, pause, run};
pub use embedded::run_embedded;
pub use enrollment::{EnrollmentSource, Environment};
pub use exit::Exit;
pub use flotilla_engine::{Destination, Move};
pub use install::{CONFIG_FILE, InstallError, PROGRAM, RunAs, STATE_DIR, install, uninstall};
pub use log::log_to_stderr;
pub use mesh::TUN_NAME;
pub use relay::relay;
pub use status::{EnrolledDevice, LinkStatus, MeshStatus, PeerStatus, Status, StatusError, status};

/// Version of this agent.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;
