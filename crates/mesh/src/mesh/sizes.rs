//! Reacts to a path that carries less than was assumed: the senders of packets are told the new size.

use super::{Mesh, PeerIndex};
use crate::{Leg, clamp, path::address::canonical, session::OVERHEAD};
use flotilla_wire::packet;
use std::{net::SocketAddr, time::Instant};

impl Mesh {
    /// The system does not send datagrams of `length` bytes to this address, so all paths to that address carry less.
    /// Senders are told by [`Self::poll_bounce`], and the size that fits is searched again.
    pub fn handle_too_large(&mut self, to: SocketAddr, length: usize, now: Instant) {
        let leg = Leg::Udp(canonical(to));
        for index in self.peers.indices() {
            let Some(peer) = self.peers.get_mut(index).filter(|peer| !peer.plain) else {
                continue;
            };
            let Some(route) = peer.route.filter(|route| route.leg == leg) else {
                continue;
            };
            let size = length.saturating_sub(route.header().len() + OVERHEAD);
            if peer.paths.refuse(size, now) {
                self.settle(index, now);
            }
        }
    }

    /// A path became narrower, so the last large packet was lost. Its sender is told the new size, instead of finding
    /// out by a time-out.
    pub(super) fn recall_large(&mut self, index: PeerIndex, mtu: u16) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let large = std::mem::take(&mut peer.large);
        if let Some(headers) = packet::parse(&large) {
            self.bounces.extend(clamp::too_big(&large, &headers, mtu));
        }
    }
}
