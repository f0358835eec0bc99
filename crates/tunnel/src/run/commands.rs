//! How the data plane's thread handles commands.

use std::time::Instant;

use super::{Plane, peer_path};
use crate::Counts;
use crate::command::Command;

impl Plane {
    pub(super) fn handle_commands(&mut self, now: Instant) {
        while let Ok(command) = self.commands.try_recv() {
            self.handle_command(command, now);
        }
        for (relay, rings) in &self.legs {
            for datagram in rings.incoming.take() {
                self.packets.open_from_leg(&mut self.mesh, *relay, &datagram, now);
            }
        }
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Apply(map, answer) => {
                let outcome = self.apply(&map, now);
                // The range decides which of the device's addresses count.
                self.update_surroundings(now);
                answer.send(outcome).ok();
            }
            Command::RelayAddresses(relay, addresses) => self.mesh.set_relay_addresses(relay, addresses, now),
            Command::LegUp(relay, rings) => {
                if let Some(old) = self.legs.insert(relay, rings) {
                    old.outgoing.close();
                    self.mesh.set_leg(relay, false, now);
                }
                self.mesh.set_leg(relay, true, now);
            }
            Command::LegDown(relay, rings) => {
                // A leg that was replaced by a newer one changes nothing.
                if self
                    .legs
                    .get(&relay)
                    .is_some_and(|current| current.is_same(&rings))
                {
                    self.legs.remove(&relay);
                    self.mesh.set_leg(relay, false, now);
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
