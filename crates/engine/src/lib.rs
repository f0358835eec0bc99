//! A device's container engine (Docker, or Podman's Docker-compatible socket), as one value that stays current.
//!
//! [`Engine::follow`] is the only task: it finds the socket, connects, reads everything once, then reads again only
//! what the engine's event stream names as changed, or what its list shows to be. When the engine is absent, refuses,
//! stops or is silent, that is one state with a beginning and a reason that says the way out, and the task waits for
//! its end. What the engine can't tell of one thing affects only that thing.
//!
//! A reader takes a [`Watch`]. Each watch remembers what it has already reported and yields the difference, so a slow
//! reader costs no memory: it gets fewer, larger reports.
//!
//! - `id`: ids, and their short form (pure).
//! - `socket`: where the engine may be, and why it can't be reached.
//! - `connection`, `plain`: requests to the engine; facts about it.
//! - `read`, `snapshot`, `users`: the engine's answers in our words (pure).
//! - `follow`: finds an engine, again and again. `follow_connection`: follows one connection to its end. `read_schedule`: what is read
//!   next (pure). `listen`, `stale`: events, and the marks that they leave until they are read (pure).
//! - `reports`: from one view to the next as [`flotilla_protocol::agent::Report`]s (pure).
//! - `action`: start, stop, pause and the like. `removal`: removes a container. `log`: what a container wrote.
//! - `engine_errors`: the engine's error messages in words for people (pure).
//! - `verbatim`: containers as plain JSON, so that no field is lost.
//! - `sharing`: containers that use each other's namespaces.
//! - `labels`: which of a container's labels are its own, and not its image's.
//! - `own`, `pod`, `ports`: the agent's own container, those that share its network, and the ports there (pure).
//! - `attachment`: a container's network settings. `recreate`: recreates a container in another network, or leaves
//!   everything as it was, also when this process or the engine ends meanwhile. `exchange`: that on a followed engine.
//! - `placing`: into the pod and out of it. `pod_repair`, `keep_pod`: members follow their pause container.
//! - `mover`: moves the agent itself, by a container of its own.
//! - `fuse`: ends the process between two steps, in tests.
//! - `stragglers`: members that an engine could not start when it started itself.

mod action;
mod attachment;
mod clock;
mod connection;
mod engine_errors;
mod exchange;
mod follow;
mod follow_connection;
mod fuse;
mod id;
mod keep_pod;
mod labels;
mod listen;
mod log;
mod mover;
mod own;
mod placing;
mod plain;
mod pod;
mod pod_repair;
mod ports;
mod read;
mod read_schedule;
mod recreate;
mod removal;
mod reports;
mod sharing;
mod snapshot;
mod socket;
mod stale;
mod stragglers;
mod users;
mod verbatim;

pub use action::ActionError;
pub use follow::{Engine, Patience, Watch};
pub use fuse::Fuse;
pub use keep_pod::NetworkGone;
pub use log::{LogEvent, LogReader};
pub use mover::{Destination, Move, MoveStart, NoDestination, carry_out};
pub use own::{OwnContainer, in_container};
pub use ports::Clash;
pub use recreate::{Ledger, Swap};
pub use sharing::Loan;
pub use socket::Sockets;
pub use stragglers::start_stragglers;

/// A container with this label of its own set to `true` works for a Flotilla agent.
pub const AGENT_LABEL: &str = "app.flotilla.agent";
