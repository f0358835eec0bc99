//! The control server: it knows the fleet, decides who belongs to it, and shows it to people and programs.
//!
//! Control has two ports. On the **fleet port** (TLS) devices fetch their installer, enroll, and hold their link. On
//! the **API port** (HTTP, loopback) the user interface, the command line and scripts read and change the fleet.
//! Between them are the store (what must survive a restart), the cache (the present state, from which all lists are
//! answered) and the live stream that updates open pages.

mod access;
mod advertise;
mod api;
mod cache;
mod change;
mod clock;
mod completion;
mod config;
mod control;
mod core;
mod data_dir;
#[cfg(feature = "embedded-ui")]
mod embedded;
mod firewall;
mod fleet_port;
mod hub;
mod jobs;
mod limit;
mod links;
mod pace;
mod provision;
mod refusal;
mod relay;
mod repeats;
mod report;
mod start;
mod store;
#[cfg(test)]
mod testbed;
mod trust;

pub use config::{ControlConfig, Ui};
pub use control::{Control, Ready, Summary};
pub use start::StartError;
