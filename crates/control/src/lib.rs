//! The control server: it knows the fleet, decides who belongs to it, and shows it to people and programs.
//!
//! Two ports. On the **fleet port** (TLS) devices fetch their installer, enroll, and hold their link. On the
//! **API port** (HTTP, loopback) the user interface, the command line and scripts read and change the fleet.
//! Between them stand the store (what must survive a restart), the cache (what is true now, answered at
//! once) and the live stream that patches open pages.

mod clock;
mod config;
mod control;
mod data_dir;
mod provision;
mod start;
mod store;

pub use config::{ControlConfig, Ui};
pub use control::{Control, Ready, Summary};
pub use start::StartError;
