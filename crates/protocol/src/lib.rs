//! The vocabulary of Flotilla: every value that crosses a wire or a screen, and nothing that acts.
//!
//! Control, agents, the command line and the user interface all speak with these types, so a word means the
//! same thing everywhere. The crate has no runtime, no socket and no clock, and it builds for wasm32.
//!
//! - [`id`], [`name`], [`endpoint`], [`pin`], [`key`], [`cidr`]: the small values that validate themselves.
//! - [`device`], [`inventory`], [`activity`]: what a fleet consists of.
//! - [`enroll`]: first trust: the request, its answer, and the config file.
//! - [`agent`]: what an agent tells control over the link, and what control asks of it.
//! - [`job`]: what takes long or takes things apart, as an agent carries it out.
//! - [`log`]: what a container wrote.
//! - [`mesh`], [`path`], [`policy`]: the network map and its changes, how devices reach each other, who may reach whom.
//! - [`api`]: the control API: request structs that name their response, list envelopes, live frames.
//! - [`stream`]: what goes on while it is read: frames, typed items, the typed end, and the place to go on from.
//! - [`interface`]: which interfaces of a computer lead to others.
//! - [`open`]: values of which a newer build may know more.
//! - [`neighborhood`]: which network addresses count as one source.
//! - [`shell`]: what the desktop window and the page in it say to each other.
//! - [`code`]: the closed list of error codes and the one error shape on the wire.
//! - [`text`]: how a text from another machine is shown.
//!
//! Compatibility: fields are only added, and none that a message can't do without; unknown values decode to `Unknown`.
//! The messages of every protocol that is still spoken are kept in `tests/corpus`, as each build must read them, with
//! what the next one may make of them.

pub mod activity;
pub mod agent;
pub mod api;
pub mod cidr;
pub mod code;
pub mod device;
pub mod endpoint;
pub mod enroll;
mod figure;
pub mod id;
pub mod interface;
pub mod inventory;
pub mod job;
pub mod key;
pub mod log;
pub mod mesh;
pub mod name;
pub mod neighborhood;
pub mod open;
pub mod path;
pub mod pin;
pub mod policy;
pub mod shell;
pub mod stream;
pub mod text;

pub use code::{Code, Problem};
pub use jiff::Timestamp;

use std::ops::RangeInclusive;

/// Version of the agent protocol that this build speaks.
pub const PROTOCOL: u32 = 1;

/// Versions of the agent protocol that this build works with: from the one before its own to the next, whose builds
/// work with this one by the same rule.
pub const SPOKEN: RangeInclusive<u32> = 1..=PROTOCOL + 1;

/// Subprotocol that both ends of a link must agree on in the WebSocket handshake.
pub const LINK_SUBPROTOCOL: &str = "flotilla-link.v1";

/// TCP port on which control meets agents, installers and relays, unless told otherwise.
pub const FLEET_PORT: u16 = 7443;

/// Loopback TCP port of the control API and the user interface, unless told otherwise.
pub const API_PORT: u16 = 7440;

/// How long a device without a link counts as reconnecting before it counts as offline, in seconds.
/// It is the time in which a dead peer is noticed (15 s between pings and 30 s for the answer).
pub const RECONNECTING_SECONDS: u32 = 45;
