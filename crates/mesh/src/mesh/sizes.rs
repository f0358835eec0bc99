//! A way turns out to carry less than was assumed: the peers that use it, and the senders of packets, learn of it.

use super::{Mesh, PeerIndex};
use crate::{Leg, mtu, path::address::canonical, session::OVERHEAD};
use flotilla_wire::packet;
use std::{net::SocketAddr, time::Instant};

impl Mesh {
    /// The system does not send datagrams of `length` bytes to this address: all ways that begin there are narrower
    /// than that. Its senders learn of it by [`Self::poll_bounce`], and what fits is found out anew.
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

    /// A path became narrower, so that the last large packet was lost: its sender is told the size, instead of finding
    /// out by a timeout.
    pub(super) fn recall_large(&mut self, index: PeerIndex, mtu: u16) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let large = std::mem::take(&mut peer.large);
        if let Some(headers) = packet::parse(&large) {
            self.bounces.extend(mtu::too_big(&large, &headers, mtu));
        }
    }
}
