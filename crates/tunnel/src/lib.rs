//! The data plane: one interface, one UDP socket, and one thread that moves packets between them through `mesh`.
//!
//! ```no_run
//! # async fn example(config: flotilla_tunnel::TunnelConfig, map: flotilla_protocol::mesh::NetworkMap,
//! #     relay: flotilla_protocol::id::RelayId) -> Result<(), flotilla_tunnel::TunnelError> {
//! use flotilla_tunnel::{Event, Tunnel};
//!
//! let (tunnel, mut events) = Tunnel::start(config)?;    // the interface is there, with its address if there is a map
//! tunnel.apply(map).await?;                              // in force when this answers
//! tunnel.set_relay_addresses(relay, vec!["203.0.113.9:7443".parse().unwrap()]);
//! while let Some(event) = events.recv().await {
//!     match event {
//!         Event::NeedsStream(relay) => {                 // UDP does not get through: dial it by TLS
//!             let stream = tunnel.open_stream(relay);    // dropped when the connection ends
//!             tokio::spawn(async move { while let Some(_datagram) = stream.next().await { /* send it */ } });
//!         }
//!         Event::Surroundings => {}                      // see whether packets still pass: `obstacle`
//!         Event::Path(_) | Event::Standing(_) | Event::NoLongerNeedsStream(_) => {} // report to control
//!         Event::Ended(error) => return Err(error),      // the thread is gone; so is the interface
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Rooms: [`device`] is the TUN device, [`udp`] the socket, [`offload`] cuts and joins runs of packets, [`route`] puts
//! the mesh into the routing table and watches the network, [`run`] is the thread, [`stream`] a relay's TLS leg.
//!
//! The interface goes with the process, however that ends. Traffic costs no allocation per packet. On systems other
//! than Linux a start fails and says so (`elsewhere`).

#[cfg(target_os = "linux")]
mod clock;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no thread takes them"))]
mod command;
#[cfg(target_os = "linux")]
mod device;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod error;
mod obstacle;
#[cfg(target_os = "linux")]
mod offload;
#[cfg(target_os = "linux")]
mod route;
#[cfg(target_os = "linux")]
mod run;
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "no thread has the other side")
)]
mod stream;
#[cfg(target_os = "linux")]
mod udp;
#[cfg(target_os = "linux")]
mod wake;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use flotilla_protocol::id::{DeviceId, RelayId};
use flotilla_protocol::mesh::NetworkMap;
use flotilla_protocol::path::PeerPath;
use tokio::sync::{mpsc, oneshot};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::obstacle;
pub use error::{DeviceError, RouteInTheWay, TunnelError};
pub use flotilla_mesh::{Counters, DropReason, PrivateKey, Standing, Tried};
pub use obstacle::Obstacle;
#[cfg(target_os = "linux")]
pub use route::{delivery::obstacle, overlap};
pub use stream::RelayStream;

use command::Command;
#[cfg(not(target_os = "linux"))]
use elsewhere::{run, wake};
use run::Plane;
use stream::Rings;
use wake::Wake;

/// Default name of the interface.
pub const INTERFACE: &str = "flotilla0";

/// MTU of the interface: what IPv6 over Ethernet leaves beside WireGuard's 32 bytes. Narrower paths answer for
/// themselves.
pub const MTU: u16 = 1420;

#[derive(Debug, Clone)]
pub struct TunnelConfig {
    /// At most 15 letters, digits, `-` and `_`.
    pub interface: String,
    pub private_key: PrivateKey,
    pub device: DeviceId,
    /// UDP port of the socket; 0 takes a free one. A port that is kept across starts keeps what NATs remember.
    pub listen_port: u16,
    /// Milliseconds since 1970 before which this start is not to be, whatever the clock says: peers believe nothing
    /// that seems older than the start before.
    pub not_before_unix_ms: u64,
    /// The last map, to be on the mesh before control is reached.
    pub map: Option<NetworkMap>,
}

/// What the agent hears.
#[derive(Debug)]
pub enum Event {
    /// Another path to a peer, or another reason for it.
    Path(PeerPath),
    /// What control should know of this device changed.
    Standing(Standing),
    /// Datagrams do not reach this relay: a TLS leg is wanted ([`Tunnel::open_stream`]).
    NeedsStream(RelayId),
    /// The TLS leg may be closed.
    NoLongerNeedsStream(RelayId),
    /// Interfaces, addresses, routes or filters of the system changed: what [`obstacle`] found may be another now.
    Surroundings,
    /// The data plane ended by itself.
    Ended(TunnelError),
}

/// What went through, and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub mesh: Counters,
    /// Datagrams that the system did not send: no route, or a network device that takes nothing.
    pub unsent_datagrams: u64,
}

/// Closed when the data plane has ended.
pub type Events = mpsc::UnboundedReceiver<Event>;

/// A running data plane. Dropping it ends it and waits for that; the interface is gone then.
#[derive(Debug)]
pub struct Tunnel {
    commands: Sender<Command>,
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
    interface: String,
    listen_port: u16,
}

impl Tunnel {
    /// Makes the interface and the socket, applies the map if there is one, and starts the thread. Takes some
    /// milliseconds.
    ///
    /// # Errors
    /// Each says what is in the way and what to do; nothing is left behind.
    pub fn start(config: TunnelConfig) -> Result<(Self, Events), TunnelError> {
        let wake = Arc::new(Wake::new().map_err(TunnelError::System)?);
        let (commands, inbox) = channel();
        let (outbox, events) = mpsc::unbounded_channel();
        let interface = config.interface.clone();
        let plane = Plane::open(config, Arc::clone(&wake), inbox, outbox)?;
        let listen_port = plane.port();
        let thread = thread::Builder::new()
            .name("data-plane".to_owned())
            .spawn(move || plane.run());
        let tunnel = Self {
            commands,
            wake,
            thread: Some(thread.map_err(TunnelError::System)?),
            interface,
            listen_port,
        };
        Ok((tunnel, events))
    }

    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The UDP port in use, to be asked for at the next start.
    #[must_use]
    pub fn listen_port(&self) -> u16 {
        self.listen_port
    }

    /// Makes a map the one in force, address and route of the interface included.
    ///
    /// # Errors
    /// The mesh's range overlaps with a route of this device; the map before it stays in force.
    pub async fn apply(&self, map: NetworkMap) -> Result<(), TunnelError> {
        self.ask(|answer| Command::Apply(Box::new(map), answer)).await?
    }

    /// Where a relay's endpoints lead to now: to be told after each map with relays, and when names resolve anew.
    pub fn set_relay_addresses(&self, relay: RelayId, addresses: Vec<SocketAddr>) {
        self.tell(Command::RelayAddresses(relay, addresses));
    }

    /// The TLS leg to a relay is up, until the stream is dropped. A newer stream replaces an older one.
    #[must_use]
    pub fn open_stream(&self, relay: RelayId) -> RelayStream {
        let rings = Rings::default();
        self.tell(Command::StreamUp(relay, rings.clone()));
        RelayStream {
            relay,
            rings,
            commands: self.commands.clone(),
            wake: Arc::clone(&self.wake),
        }
    }

    /// Probes all ways to a peer. Answers within about 2 s; empty for a peer that is not in the map.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn test_path(&self, peer: DeviceId) -> Result<Vec<Tried>, TunnelError> {
        self.ask(|answer| Command::TestPath(peer, answer)).await
    }

    /// How each peer is reached now.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn paths(&self) -> Result<Vec<PeerPath>, TunnelError> {
        self.ask(Command::Paths).await
    }

    /// What was dropped, and what went through, since the start.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn counts(&self) -> Result<Counts, TunnelError> {
        self.ask(Command::Counts).await
    }

    /// Ends the data plane and waits for it, some milliseconds.
    pub fn stop(self) {}

    fn tell(&self, command: Command) {
        // A thread that has ended has said so by an event.
        self.commands.send(command).ok();
        self.wake.wake();
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, TunnelError> {
        let (answer, answered) = oneshot::channel();
        self.tell(command(answer));
        answered.await.map_err(|_| TunnelError::Ended)
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
