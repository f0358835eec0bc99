//! Control's decisions about devices, as functions and state machines without a store, a port or a clock.
//!
//! Time, randomness and records are passed in; nothing reads a clock, a file or a socket, so each decision can be
//! tested by itself.
//!
//! - [`access`]: what a caller may do on which devices.
//! - [`Life`]: a device from added to removed, and what may be done with it when.
//! - [`enrollment`]: whether a token may enroll a key, and for how long a token is good.
//! - [`admission`]: whether a certificate on a link is the device's, an older one, or a copy on another machine.
//! - [`Holders`]: whether two agents take turns with one identity.
//! - [`Presence`]: which device is online, reconnecting or offline, from links that come and go.
//! - [`choose_range`], [`free_address`]: the mesh's address range and the address of each device.
//! - [`Maps`]: the network map of each device, and which part of it its agent lacks.
//! - [`PacedChanges`]: how often changes that a device reports of itself may reach other devices.
//! - [`jobs`]: what takes long or takes things apart, and what is to be done about it next.
//! - [`propose_name`]: two words for a device that a person has not named.

pub mod access;
pub mod admission;
pub mod enrollment;
pub mod jobs;

mod addresses;
mod holders;
mod lifecycle;
mod maps;
mod names;
mod pace;
mod presence;

pub use addresses::{LAST_CHOICE, choose_range, free_address, moved};
pub use admission::check_protocol;
pub use holders::{Holder, Holders};
pub use lifecycle::{Life, LifecycleError};
pub use maps::{Maps, Member};
pub use names::propose_name;
pub use pace::PacedChanges;
pub use presence::{Presence, PresenceChange, PresenceState};
