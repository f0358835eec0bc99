//! The control server: it knows the fleet, decides who belongs to it, and shows it to people and programs.
//!
//! Control has two ports. On the **fleet port** (TLS) devices fetch their installer, enroll, and hold their link. On
//! the **API port** (HTTP, loopback) the user interface, the command line and scripts read and change the fleet.
//! Between them are the store (what must survive a restart), the cache (the present state, from which all lists are
//! answered) and the live stream that updates open pages.
//!
//! A module imports only modules that come later in this list:
//! - `control`: builds everything, lets time pass, and stops
//! - `fleet_port`, `api`: who may ask for what, over which address; they decide nothing
//! - `jobs`: what takes long, each kind of it in `jobs::kinds`
//! - `hub`: what one link carries, from its admission to its end
//! - `effects`: carries out what follows from changes
//! - `change`: the one writer, by subject; it answers what is to be done and does none of it
//! - `core`: what all of these share, with the lock under which changes are made
//! - `provision`: texts and programs that devices fetch
//! - `cache`: what is known; `links`: who is connected; `store`: what is kept
//! - everything else, such as the clock and the bounds of reports

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
mod effects;
#[cfg(feature = "embedded-ui")]
mod embedded;
mod firewall;
mod fleet_port;
mod hub;
mod jobs;
mod limit;
mod links;
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
