//! The core of the data plane: peers, WireGuard sessions, candidates, paths, filter state and the relay client.
//!
//! Nothing here reads a socket, a file or a clock. [`Mesh`] is one device's whole data plane. `tunnel` drives it:
//!
//! 1. an IP packet from the TUN: [`Mesh::outbound`] once per run, then [`Mesh::seal`] per packet, then send;
//! 2. a datagram from the socket or a relay's TLS leg: [`Mesh::open`], and write the packet that comes out to the TUN;
//! 3. after either, and after [`Mesh::handle_timeout`] at [`Mesh::poll_timeout`]: drain [`Mesh::poll_transmit`],
//!    [`Mesh::poll_bounce`] and [`Mesh::poll_event`];
//! 4. a datagram that the system finds too large to send: [`Mesh::handle_too_large`], then as before. Datagrams must
//!    not be fragmented, or probes of a path's size would be meaningless.

mod clamp;
mod drops;
mod echo;
mod event;
mod filter;
#[cfg(fuzzing)]
pub mod fuzzing;
mod mesh;
mod path;
mod peer;
mod reflect;
mod relay;
mod session;

pub use drops::{Counters, DropReason, Traffic};
pub use echo::{ECHO_PORT, UNASKED_PORT};
pub use event::{Attempt, Event, PathState, Reachability};
pub use mesh::{Config, Leg, Mesh, Opened, PeerIndex, PrivateKey, Sealed, Transmit};
