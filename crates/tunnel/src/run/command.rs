//! What others ask of the data plane's thread.

use std::net::SocketAddr;
use std::time::Instant;

use flotilla_mesh::Tried;
use flotilla_protocol::id::{DeviceId, RelayId};
use flotilla_protocol::mesh::NetworkMap;
use flotilla_protocol::path::PeerPath;
use tokio::sync::oneshot;

use super::{Plane, peer_path};
use crate::stream::Rings;
use crate::{Counts, TunnelError};

/// An answer that nobody waits for any more is not an error.
#[derive(Debug)]
pub(crate) enum Command {
    Apply(Box<NetworkMap>, oneshot::Sender<Result<(), TunnelError>>),
    RelayAddresses(RelayId, Vec<SocketAddr>),
    StreamUp(RelayId, Rings),
    StreamDown(RelayId, Rings),
    TestPath(DeviceId, oneshot::Sender<Vec<Tried>>),
    Paths(oneshot::Sender<Vec<PeerPath>>),
    Counts(oneshot::Sender<Counts>),
    Stop,
}

impl Plane {
    pub(super) fn handle_commands(&mut self, now: Instant) {
        while let Ok(command) = self.commands.try_recv() {
            self.handle_command(command, now);
        }
        for (relay, rings) in &self.streams {
            for datagram in rings.incoming.take() {
                self.packets
                    .open_from_stream(&mut self.mesh, *relay, &datagram, now);
            }
        }
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Apply(map, answer) => {
                let outcome = self.apply(&map, now);
                // The range decides which of the device's addresses count.
                self.look_around(now);
                answer.send(outcome).ok();
            }
            Command::RelayAddresses(relay, addresses) => self.mesh.set_relay_addresses(relay, addresses, now),
            Command::StreamUp(relay, rings) => {
                if let Some(old) = self.streams.insert(relay, rings) {
                    old.outgoing.close();
                    self.mesh.set_stream(relay, false, now);
                }
                self.mesh.set_stream(relay, true, now);
            }
            Command::StreamDown(relay, rings) => {
                // Not when another stream has taken its place.
                if self
                    .streams
                    .get(&relay)
                    .is_some_and(|current| current.are(&rings))
                {
                    self.streams.remove(&relay);
                    self.mesh.set_stream(relay, false, now);
                }
            }
            Command::TestPath(peer, answer) => {
                if self.mesh.paths(now).iter().any(|path| path.peer == peer) {
                    self.tests.entry(peer).or_default().push(answer);
                    self.mesh.test_path(peer, now);
                } else {
                    answer.send(Vec::new()).ok();
                }
            }
            Command::Paths(answer) => {
                let paths = self.mesh.paths(now).into_iter();
                answer.send(paths.map(|path| peer_path(path, now)).collect()).ok();
            }
            Command::Counts(answer) => {
                let mesh = self.mesh.counters();
                let unsent_datagrams = self.packets.unsent();
                answer
                    .send(Counts {
                        mesh,
                        unsent_datagrams,
                    })
                    .ok();
            }
            Command::Stop => self.stopped = true,
        }
    }
}
