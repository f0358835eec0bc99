//! The data plane's thread: it owns the mesh, waits for packets, commands and time, and moves packets both ways.
//!
//! Life cycle: [`Plane::open`] makes device and socket, and applies the first map; [`Plane::run`] works until it is
//! stopped or the interface is gone. It sleeps in `poll` while there is nothing to do, and drains device and socket in
//! turns while there is; what it gathered in a turn is sent before the next turn, so that no packet waits for others
//! to be joined with.

mod commands;
mod packets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use flotilla_mesh::{Attempt, Config, Event as MeshEvent, Mesh, PathState};
use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::id::{DeviceId, RelayId};
use flotilla_protocol::mesh::NetworkMap;
use flotilla_protocol::path::PeerPath;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::clock::{self, SleepDetector};
use crate::command::Command;
use crate::device::Device;
use crate::names::name_servers_are_reached;
use crate::relay_leg::Rings;
use crate::route::watch::{Change, Watch};
use crate::route::{Interface, Surroundings, overlap, surroundings};
use crate::udp::Socket;
use crate::wake::Wake;
use crate::{Event, MTU, TunnelConfig, TunnelError};

use packets::Packets;

/// The longest sleep, so that a machine's sleep is noticed even when nothing else happens.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Turns before commands, timers and empty sockets are checked again: about a millisecond at full speed.
const TURNS: usize = 4;

#[derive(Debug)]
pub(crate) struct Plane {
    mesh: Mesh,
    packets: Packets,
    interface: Interface,
    /// The mesh's addresses, once there is a map.
    range: Option<IpRange>,
    watch: Watch,
    surroundings: Surroundings,
    sleep: SleepDetector,
    wake: Arc<Wake>,
    commands: Receiver<Command>,
    events: UnboundedSender<Event>,
    legs: BTreeMap<RelayId, Rings>,
    tests: BTreeMap<DeviceId, Vec<oneshot::Sender<Vec<Attempt>>>>,
    stopped: bool,
}

/// Which of the two may have something to read.
#[derive(Debug, Clone, Copy, Default)]
struct Ready {
    device: bool,
    socket: bool,
}

impl Plane {
    pub(crate) fn open(
        config: TunnelConfig,
        wake: Arc<Wake>,
        commands: Receiver<Command>,
        events: UnboundedSender<Event>,
    ) -> Result<Self, TunnelError> {
        let now = Instant::now();
        let device = Device::open(&config.interface)?;
        let socket = Socket::bind(config.listen_port).map_err(|source| TunnelError::NoUdp {
            port: config.listen_port,
            source,
        })?;
        let in_place = |error| TunnelError::Interface(config.interface.clone(), error);
        let interface = Interface::up(&config.interface, MTU).map_err(in_place)?;
        let mesh = Config {
            private_key: config.private_key,
            device: config.device,
            clock_start_unix_ms: clock::unix_ms().max(config.not_before_unix_ms),
        };
        tracing::info!(
            interface.name = config.interface,
            interface.offload = ?device.offload(),
            udp.port = socket.port(),
            "The data plane starts."
        );
        let mut plane = Self {
            mesh: Mesh::new(mesh, rand::random(), now),
            packets: Packets::new(device, socket),
            interface,
            range: None,
            watch: Watch::open().map_err(TunnelError::System)?,
            surroundings: Surroundings::default(),
            sleep: SleepDetector::new(),
            wake,
            commands,
            events,
            legs: BTreeMap::new(),
            tests: BTreeMap::new(),
            stopped: false,
        };
        if let Some(map) = &config.map {
            plane.apply(map, now)?;
        }
        plane.update_surroundings(now);
        Ok(plane)
    }

    pub(crate) fn port(&self) -> u16 {
        self.packets.port()
    }

    /// Returns when the tunnel is stopped or cannot go on. The interface ends with the plane.
    pub(crate) fn run(mut self) {
        let outcome = self.run_until_stopped();
        for rings in self.legs.values() {
            rings.outgoing.close();
        }
        if let Err(error) = outcome {
            tracing::error!(error = %error, "The data plane ended.");
            // The interface is removed before the event is sent, so that its receiver can start a data plane again at
            // once.
            let events = self.events.clone();
            drop(self);
            events.send(Event::Ended(error)).ok();
        }
    }

    fn run_until_stopped(&mut self) -> Result<(), TunnelError> {
        let mut ready = Ready::default();
        self.settle(Instant::now());
        loop {
            self.wait(&mut ready)?;
            for _ in 0..TURNS {
                if !ready.device && !ready.socket {
                    break;
                }
                self.run_turn(&mut ready)?;
            }
            let now = Instant::now();
            self.handle_commands(now);
            if self.stopped {
                return Ok(());
            }
            self.handle_time(now);
            self.settle(now);
        }
    }

    /// Handles what came to the socket, then what came to the device, and sends the results of both.
    fn run_turn(&mut self, ready: &mut Ready) -> Result<(), TunnelError> {
        let now = Instant::now();
        if ready.socket {
            ready.socket = self.packets.receive(&mut self.mesh, now);
        }
        if ready.device {
            let more = self.packets.send(&mut self.mesh, &self.legs, now);
            ready.device = more.map_err(|_| TunnelError::InterfaceGone(self.interface.name().to_owned()))?;
        }
        self.settle(now);
        Ok(())
    }

    /// Sends everything that the mesh has to send, and passes on its events.
    fn settle(&mut self, now: Instant) {
        self.packets.settle(&mut self.mesh, &self.legs, now);
        while let Some(event) = self.mesh.poll_event() {
            let event = match event {
                MeshEvent::Path(path) => Event::Path(peer_path(path, now)),
                MeshEvent::Reachability(reachability) => Event::Reachability(reachability),
                MeshEvent::NeedsLeg(relay) => Event::NeedsLeg(relay),
                MeshEvent::NoLongerNeedsLeg(relay) => Event::NoLongerNeedsLeg(relay),
                MeshEvent::Tested { peer, attempts } => {
                    for answer in self.tests.remove(&peer).unwrap_or_default() {
                        answer.send(attempts.clone()).ok();
                    }
                    continue;
                }
            };
            // While the agent ends, the receiver may be gone.
            self.events.send(event).ok();
        }
    }

    fn wait(&mut self, ready: &mut Ready) -> Result<(), TunnelError> {
        let now = Instant::now();
        let due = [
            self.mesh.poll_timeout(),
            self.watch.poll_timeout(),
            self.interface.poll_timeout(),
        ];
        let due = due.into_iter().flatten().min();
        let patience = due.map_or(LONGEST_WAIT, |due| {
            due.saturating_duration_since(now).min(LONGEST_WAIT)
        });
        let busy = ready.device || ready.socket;
        let patience = if busy { Duration::ZERO } else { patience };
        let patience = Timespec::try_from(patience).unwrap_or_default();
        let [device, socket] = self.packets.sources();
        let [networks, filters] = self.watch.sources();
        let mut sources = [
            PollFd::from_borrowed_fd(device, PollFlags::IN),
            PollFd::from_borrowed_fd(socket, PollFlags::IN),
            PollFd::new(&self.wake, PollFlags::IN),
            PollFd::from_borrowed_fd(networks, PollFlags::IN),
            PollFd::from_borrowed_fd(filters, PollFlags::IN),
        ];
        match poll(&mut sources, Some(&patience)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(TunnelError::System(errno.into())),
        }
        let [device, socket, wake, networks, filters] = sources.map(|source| !source.revents().is_empty());
        ready.device |= device;
        ready.socket |= socket;
        if wake {
            self.wake.clear();
        }
        if networks || filters {
            self.watch.handle_readable(Instant::now());
        }
        Ok(())
    }

    fn handle_time(&mut self, now: Instant) {
        if self.sleep.take_slept() {
            tracing::info!("The machine slept; all paths are probed again.");
            self.mesh.handle_wake(now);
        }
        if let Some(change) = self.watch.take_due(now) {
            if change == Change::Networks {
                self.update_surroundings(now);
                self.restore(now);
            }
            self.events.send(Event::Surroundings).ok();
        }
        if self.interface.poll_timeout().is_some_and(|due| due <= now) {
            self.restore(now);
        }
        if self.mesh.poll_timeout().is_some_and(|due| due <= now) {
            self.mesh.handle_timeout(now);
        }
    }

    fn restore(&mut self, now: Instant) {
        if let Err(error) = self.interface.restore(now) {
            tracing::warn!(error = %error, "The mesh's address or route could not be put back.");
        }
    }

    /// Tells the mesh this device's addresses, when they changed.
    fn update_surroundings(&mut self, now: Instant) {
        match surroundings(self.interface.name(), self.range) {
            Ok(seen) if seen != self.surroundings => {
                let port = self.packets.port();
                let candidates = seen
                    .addresses
                    .iter()
                    .map(|address| SocketAddr::new(*address, port));
                self.packets.forget_routes();
                let networks = seen.networks.iter().copied();
                self.mesh
                    .set_local_candidates(candidates.collect(), networks.collect(), now);
                self.surroundings = seen;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %error, "The system does not tell its addresses."),
        }
    }

    fn apply(&mut self, map: &NetworkMap, now: Instant) -> Result<(), TunnelError> {
        let name = self.interface.name().to_owned();
        let in_place = |error| TunnelError::Interface(name.clone(), error);
        let range = map.address.range();
        if let Some(mesh) = range
            && self.range != range
            && let Some(route) = overlap(mesh, &name).map_err(in_place)?
        {
            return Err(TunnelError::RangeOverlap { mesh, route });
        }
        name_servers_are_reached(map)?;
        self.interface.set_address(map.address).map_err(in_place)?;
        self.range = range;
        self.mesh.apply(map, now);
        Ok(())
    }
}

fn peer_path(path: PathState, now: Instant) -> PeerPath {
    PeerPath {
        peer: path.peer,
        why: path.why,
        relay: path.relay,
        remote: path.remote,
        cause: path.cause,
        rtt_ms: path.rtt.map(|rtt| rtt.as_secs_f32() * 1e3),
        since: clock::timestamp_of(path.since, now),
        last_handshake: path.last_handshake.map(|moment| clock::timestamp_of(moment, now)),
        received_bytes: path.received_bytes,
        sent_bytes: path.sent_bytes,
        mtu: path.mtu,
    }
}
