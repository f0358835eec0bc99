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
//!         Event::NeedsLeg(relay) => {                 // UDP does not get through: dial it by TLS
//!             let leg = tunnel.open_leg(relay);    // dropped when the connection ends
//!             tokio::spawn(async move { while let Some(_datagram) = leg.next().await { /* send it */ } });
//!         }
//!         Event::Surroundings => {}                      // see whether packets still pass (`obstacle`), and names
//!         Event::Path(_) | Event::Reachability(_) | Event::NoLongerNeedsLeg(_) => {} // report to control
//!         Event::Ended(error) => return Err(error),      // the thread is gone; so is the interface
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Rooms: [`device`] is the TUN device, [`udp`] the socket, [`offload`] cuts and joins runs of packets, [`route`] puts
//! the mesh into the routing table and watches the network, [`names`] checks the name servers, [`run`] is the thread,
//! [`relay_leg`] a relay's TLS leg.
//!
//! The interface ends with the process, however that ends. Traffic costs no allocation per packet. On systems other
//! than Linux a start fails with a message (`unsupported`).

#[cfg(target_os = "linux")]
mod clock;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no thread takes them"))]
mod command;
#[cfg(target_os = "linux")]
mod device;
mod error;
mod names;
mod obstacle;
#[cfg(target_os = "linux")]
mod offload;
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "no thread has the other side")
)]
mod relay_leg;
#[cfg(target_os = "linux")]
mod route;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod udp;
#[cfg(not(target_os = "linux"))]
mod unsupported;
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

pub use error::{DeviceError, RouteInTheWay, TunnelError};
pub use flotilla_mesh::{Attempt, Counters, DropReason, PrivateKey, Reachability};
pub use names::name_servers_are_reached;
pub use obstacle::Obstacle;
pub use relay_leg::RelayLeg;
#[cfg(target_os = "linux")]
pub use route::{delivery::obstacle, overlap};
#[cfg(not(target_os = "linux"))]
pub use unsupported::obstacle;

use command::Command;
use relay_leg::Rings;
use run::Plane;
#[cfg(not(target_os = "linux"))]
use unsupported::{run, wake};
use wake::Wake;

/// Default name of the interface.
pub const INTERFACE: &str = "flotilla0";

/// MTU of the interface: what IPv6 over Ethernet leaves beside WireGuard's 32 bytes. On narrower paths the sender of a
/// larger packet is told the smaller size.
pub const MTU: u16 = 1420;

#[derive(Debug, Clone)]
pub struct TunnelConfig {
    /// At most 15 letters, digits, `-` and `_`.
    pub interface: String,
    pub private_key: PrivateKey,
    pub device: DeviceId,
    /// UDP port of the socket; 0 takes a free one. A port that stays the same across starts keeps the mappings of NATs
    /// valid.
    pub listen_port: u16,
    /// Milliseconds since 1970 that this start's time is at least, whatever the clock shows: peers ignore handshakes
    /// that seem older than those of an earlier start.
    pub not_before_unix_ms: u64,
    /// The last map, so that the device is on the mesh before control is reached.
    pub map: Option<NetworkMap>,
}

/// What the data plane tells the agent.
#[derive(Debug)]
pub enum Event {
    /// A peer's path or the reason for it changed.
    Path(PeerPath),
    /// What control needs to know of this device's reachability changed.
    Reachability(Reachability),
    /// Datagrams do not reach this relay, so it needs a TLS leg ([`Tunnel::open_leg`]).
    NeedsLeg(RelayId),
    /// The relay's TLS leg is not needed any more and may be closed.
    NoLongerNeedsLeg(RelayId),
    /// Interfaces, addresses, routes or filters of the system changed, so [`obstacle`] may give another result.
    Surroundings,
    /// The data plane ended without being stopped.
    Ended(TunnelError),
}

/// Counts of packets, passed and lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub mesh: Counters,
    /// Datagrams that the system did not send: it has no route, or the network device takes nothing.
    pub unsent_datagrams: u64,
}

/// The events of a data plane; closed when it has ended.
pub type Events = mpsc::UnboundedReceiver<Event>;

/// A running data plane. Dropping it ends it and waits until the interface is gone.
#[derive(Debug)]
pub struct Tunnel {
    commands: Sender<Command>,
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
    interface: String,
    listen_port: u16,
}

impl Tunnel {
    /// Creates the interface and the socket, applies the map if there is one, and starts the thread. Takes some
    /// milliseconds.
    ///
    /// Each says what is in the way and what to do about it. Nothing that was created is left behind.
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

    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The UDP port in use, to be passed to the next start.
    pub fn listen_port(&self) -> u16 {
        self.listen_port
    }

    /// Applies a map, the interface's address and route included.
    ///
    /// # Errors
    /// The mesh's range overlaps with a route of this device, or covers one of its name servers; the map before it
    /// stays in force.
    pub async fn apply(&self, map: NetworkMap) -> Result<(), TunnelError> {
        self.ask(|answer| Command::Apply(Box::new(map), answer)).await?
    }

    /// Sets the addresses that a relay's endpoints resolve to. To be called after each map with relays, and when names
    /// are resolved again.
    pub fn set_relay_addresses(&self, relay: RelayId, addresses: Vec<SocketAddr>) {
        self.send_command(Command::RelayAddresses(relay, addresses));
    }

    /// Opens the TLS leg to a relay; it is up until the returned leg is dropped. A newer leg replaces an older one.
    #[must_use]
    pub fn open_leg(&self, relay: RelayId) -> RelayLeg {
        let rings = Rings::default();
        self.send_command(Command::LegUp(relay, rings.clone()));
        RelayLeg {
            relay,
            rings,
            commands: self.commands.clone(),
            wake: Arc::clone(&self.wake),
        }
    }

    /// Probes all candidates of a peer. Answers within about 2 s; empty for a peer that is not in the map.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn test_path(&self, peer: DeviceId) -> Result<Vec<Attempt>, TunnelError> {
        self.ask(|answer| Command::TestPath(peer, answer)).await
    }

    /// The present path to each peer.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn paths(&self) -> Result<Vec<PeerPath>, TunnelError> {
        self.ask(Command::Paths).await
    }

    /// The counts of packets since the start.
    ///
    /// # Errors
    /// The data plane has ended.
    pub async fn counts(&self) -> Result<Counts, TunnelError> {
        self.ask(Command::Counts).await
    }

    /// Ends the data plane and waits for it; takes some milliseconds.
    pub fn stop(self) {}

    fn send_command(&self, command: Command) {
        // A thread that has ended has sent an event about it.
        self.commands.send(command).ok();
        self.wake.wake();
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, TunnelError> {
        let (answer, answered) = oneshot::channel();
        self.send_command(command(answer));
        answered.await.map_err(|_| TunnelError::Ended)
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.send_command(Command::Stop);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
