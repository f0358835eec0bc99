//! IP packets: from the TUN to a peer, and back.

use super::{Mesh, PeerIndex, upkeep::transmit_along};
use crate::{
    DropReason, Leg, Opened, Sealed, clamp, echo,
    path::{Paths, Way, address::canonical},
    peer::Route,
    session::{
        Addressee, LEAST_BUFFER, OVERHEAD, Opening, Refusal, Sealing, Session, data_index, is_initiation,
    },
};
use flotilla_protocol::id::RelayId;
use flotilla_wire::packet::{self, Headers};
use std::{
    net::{IpAddr, Ipv6Addr},
    time::Instant,
};

/// Longest cookie reply.
const COOKIE_REPLY: usize = 64;

impl Mesh {
    /// Finds the peer for an IP packet from the TUN, and opens or refreshes its flow. To be called once for a run of
    /// segments: `headers` is the packet, or at least its headers, with finished checksums (the segment size of a SYN
    /// may be lowered); `largest` is the size of the largest IP packet of the run.
    ///
    /// The packets are dropped. After [`DropReason::TooBig`], [`Self::poll_bounce`] has an answer for the sender.
    pub fn outbound(
        &mut self,
        headers: &mut [u8],
        largest: usize,
        now: Instant,
    ) -> Result<PeerIndex, DropReason> {
        self.route_outbound(headers, largest, now)
            .map_err(|reason| self.drop(reason))
    }

    fn route_outbound(
        &mut self,
        bytes: &mut [u8],
        largest: usize,
        now: Instant,
    ) -> Result<PeerIndex, DropReason> {
        let headers = packet::parse(bytes).ok_or(DropReason::Malformed)?;
        let Some(index) = self.peers.by_address(headers.destination) else {
            return Err(self.echo(bytes, &headers));
        };
        if Some(headers.source) != self.address {
            return Err(DropReason::Spoofed);
        }
        let peer = self.peers.get_mut(index).ok_or(DropReason::NoPeer)?;
        let woke = peer.paths.note_sent(now);
        if (peer.route.is_none() && peer.absence.doubt(now)) || woke {
            self.settle(index, now);
        }
        let peer = self.peers.get_mut(index).ok_or(DropReason::NoPeer)?;
        let route_mtu = peer.route.map_or(Paths::LARGEST_MTU, |route| route.mtu);
        if largest > usize::from(route_mtu) {
            self.bounces.extend(clamp::too_big(bytes, &headers, route_mtu));
            return Err(DropReason::TooBig);
        }
        let mut is_in_question = false;
        if Paths::is_large(largest) {
            is_in_question = peer.paths.note_large(now);
            peer.large.clear();
            peer.large.extend(bytes.iter().take(clamp::QUOTE));
        }
        if let Some(relay) = peer.route.and_then(|route| route.relay) {
            self.relays.note_sent(relay, now);
        }
        if is_in_question {
            self.settle(index, now);
        }
        self.filter.outbound(&headers, now);
        clamp::clamp_segment_size(bytes, &headers, route_mtu);
        self.wake_session(index, now);
        Ok(index)
    }

    /// Handles a packet for an address that no peer has: answers it if it is a question of the device to its own mesh.
    fn echo(&mut self, bytes: &[u8], headers: &Headers) -> DropReason {
        let is_from_here = Some(headers.source) == self.address && self.address != Some(headers.destination);
        let is_for_mesh = self
            .range
            .is_some_and(|range| range.first() == headers.destination);
        let answers = echo::answers(bytes, headers).filter(|_| is_from_here && is_for_mesh);
        match answers {
            Some(answers) => {
                self.bounces.extend(answers);
                DropReason::Echo
            }
            None => DropReason::NoPeer,
        }
    }

    /// Encrypts one IP packet for a peer into `out`, which needs [`Self::SEAL_OVERHEAD`] bytes more than the packet
    /// and at least [`Self::SEAL_LEAST`]. Equal packet sizes and an unchanged path give equal datagram sizes.
    pub fn seal(&mut self, peer: PeerIndex, packet: &[u8], out: &mut [u8], now: Instant) -> Sealed {
        match self.seal_packet(peer, packet, out, now) {
            Ok(sealed) => sealed,
            Err(reason) => Sealed::Dropped(self.drop(reason)),
        }
    }

    fn seal_packet(
        &mut self,
        index: PeerIndex,
        packet: &[u8],
        out: &mut [u8],
        now: Instant,
    ) -> Result<Sealed, DropReason> {
        let peer = self.peers.get_mut(index).ok_or(DropReason::NoPeer)?;
        let route = peer.route;
        let header = route.as_ref().map_or(&[][..], Route::header);
        let (front, back) = out
            .split_at_mut_checked(header.len())
            .ok_or(DropReason::BufferTooSmall)?;
        if back.len() < LEAST_BUFFER.max(packet.len() + OVERHEAD) {
            return Err(DropReason::BufferTooSmall);
        }
        let session = peer
            .session
            .get_or_insert_with(|| Session::new(&self.keys, peer.key, peer.index, now));
        match session.seal(packet, back, now) {
            Sealing::Data(len) => {
                let route = route.ok_or(DropReason::NoPath)?;
                front.copy_from_slice(header);
                peer.traffic.sent_bytes += packet.len() as u64;
                Ok(Sealed::Data {
                    len: front.len() + len,
                    leg: route.leg,
                })
            }
            Sealing::Handshake(len) => {
                let bytes = back.get(..len).unwrap_or_default();
                self.transmits
                    .extend(route.map(|route| transmit_along(&route, bytes)));
                self.awake.insert(index);
                Ok(Sealed::Queued)
            }
            Sealing::Waits => Ok(Sealed::Queued),
            Sealing::Full => Err(DropReason::QueueFull),
        }
    }

    /// Handles one datagram. `out` needs as many bytes as the datagram has, and at least [`Self::SEAL_LEAST`].
    pub fn open<'o>(&mut self, from: Leg, datagram: &[u8], out: &'o mut [u8], now: Instant) -> Opened<'o> {
        if out.len() < datagram.len().max(Self::SEAL_LEAST) {
            return Opened::Dropped(self.drop(DropReason::BufferTooSmall));
        }
        let from = match from {
            Leg::Udp(address) => Leg::Udp(canonical(address)),
            leg @ Leg::Tls(_) => leg,
        };
        match from {
            // A datagram from an address of the mesh came through the mesh itself, and must not be taken as another
            // path.
            Leg::Udp(remote) if self.range.is_some_and(|mesh| mesh.contains(remote.ip())) => {
                Opened::Dropped(self.drop(DropReason::Spoofed))
            }
            _ if flotilla_wire::is_ours(datagram) => self.open_frame(from, datagram, out, now),
            Leg::Udp(remote) => self.open_wireguard(datagram, Way::Direct(remote), None, out, now),
            Leg::Tls(_) => Opened::Dropped(self.drop(DropReason::UnknownDatagram)),
        }
    }

    /// `by` is the relay that delivered the message, with the peer that it names as the sender.
    pub(super) fn open_wireguard<'o>(
        &mut self,
        datagram: &[u8],
        way: Way,
        by: Option<(RelayId, PeerIndex)>,
        out: &'o mut [u8],
        now: Instant,
    ) -> Opened<'o> {
        let index = match self.addressee(datagram, way, by, now) {
            Ok(index) => index,
            Err(Some(reason)) => return Opened::Dropped(self.drop(reason)),
            Err(None) => return Opened::Consumed,
        };
        if by.is_some_and(|(_, source)| source != index) {
            return Opened::Dropped(self.drop(DropReason::Forged));
        }
        self.wake_session(index, now);
        match self.decrypt(index, datagram, way, by, out, now) {
            Ok(Some(len)) => match self.admit(index, out.get_mut(..len).unwrap_or_default(), now) {
                Ok(()) => Opened::Packet {
                    packet: out.get_mut(..len).unwrap_or_default(),
                    peer: index,
                },
                Err(reason) => Opened::Dropped(self.drop(reason)),
            },
            Ok(None) => Opened::Consumed,
            Err(reason) => Opened::Dropped(self.drop(reason)),
        }
    }

    /// Finds the peer of a message. An error without a reason means that the message was answered.
    fn addressee(
        &mut self,
        datagram: &[u8],
        way: Way,
        by: Option<(RelayId, PeerIndex)>,
        now: Instant,
    ) -> Result<PeerIndex, Option<DropReason>> {
        if let Some(index) = data_index(datagram) {
            return self.peers.by_session(index).ok_or(Some(DropReason::UnknownPeer));
        }
        let mut reply = [0; COOKIE_REPLY];
        let source = self.source(way, by);
        match self.keys.address(datagram, source, &mut reply, now) {
            // A data message that did not match the fast path is forged.
            Ok(_) if datagram.first() == Some(&4) => Err(Some(DropReason::Malformed)),
            Ok(Addressee::Key(key)) => self.peers.by_key(key).ok_or(Some(DropReason::UnknownPeer)),
            Ok(Addressee::Index(index)) => self.peers.by_session(index).ok_or(Some(DropReason::UnknownPeer)),
            Err(Refusal::Drop(reason)) => Err(Some(reason)),
            Err(Refusal::Cookie(len)) => {
                let bytes = reply.get(..len).unwrap_or_default();
                if let Some(back) = self.reply_route(way, by) {
                    self.transmits.push_back(transmit_along(&back, bytes));
                }
                Err(None)
            }
        }
    }

    /// Decrypts into `out`; returns the length of the IP packet if there is one.
    fn decrypt(
        &mut self,
        index: PeerIndex,
        datagram: &[u8],
        way: Way,
        by: Option<(RelayId, PeerIndex)>,
        out: &mut [u8],
        now: Instant,
    ) -> Result<Option<usize>, DropReason> {
        let source = self.source(way, by);
        let peer = self.peers.get_mut(index).ok_or(DropReason::UnknownPeer)?;
        if peer.session.is_none() && is_initiation(datagram) {
            peer.session = Some(Session::new(&self.keys, peer.key, peer.index, now));
        }
        let session = peer.session.as_mut().ok_or(DropReason::UnknownPeer)?;
        let opening = session.open(datagram, source, out);
        match opening {
            Opening::Drop(reason) => return Err(reason),
            Opening::Old => {
                self.offer_session(index, now);
                return Err(DropReason::Replayed);
            }
            Opening::Nothing if data_index(datagram).is_none() => return Ok(None),
            _ => {}
        }
        let flush = session.has_waiting();
        self.note_heard(index, way, by.map(|(relay, _)| relay), now);
        if let Opening::Answer(len) = opening {
            self.awake.insert(index);
            let route = self.peers.get(index).and_then(|peer| peer.route);
            let back = route.or_else(|| self.reply_route(way, by).filter(|_| way == Way::Relay));
            match (back, out.get(..len)) {
                (Some(back), Some(bytes)) => self.transmits.push_back(transmit_along(&back, bytes)),
                _ => return Err(DropReason::NoPath),
            }
        }
        if flush {
            self.flush(index);
        }
        Ok(match opening {
            Opening::Packet(len) => Some(len),
            _ => None,
        })
    }

    fn note_heard(&mut self, index: PeerIndex, way: Way, by: Option<RelayId>, now: Instant) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let mut changed = false;
        match way {
            Way::Direct(from) if peer.plain => {
                changed = peer.endpoint.replace(from) != Some(from);
            }
            _ => peer.paths.handle_heard(way, &self.near, now),
        }
        changed |= peer.paths.note_received(now);
        changed |= peer.paths.has_queries();
        changed |= by.is_some_and(|relay| self.note_relay(index, relay, now));
        if changed {
            self.settle(index, now);
        }
    }

    /// Decides whether a decrypted packet may come in.
    fn admit(&mut self, index: PeerIndex, bytes: &mut [u8], now: Instant) -> Result<(), DropReason> {
        let headers = packet::parse(bytes).ok_or(DropReason::Malformed)?;
        let peer = self.peers.get_mut(index).ok_or(DropReason::UnknownPeer)?;
        peer.traffic.received_bytes += bytes.len() as u64;
        let route_mtu = peer.route.map_or(Paths::LARGEST_MTU, |route| route.mtu);
        if headers.source != peer.address {
            return Err(DropReason::Spoofed);
        }
        if Some(headers.destination) != self.address {
            return Err(DropReason::NotForUs);
        }
        self.admit_filtered(bytes, &headers, route_mtu, now)
    }

    fn admit_filtered(
        &mut self,
        bytes: &mut [u8],
        headers: &Headers,
        mtu: u16,
        now: Instant,
    ) -> Result<(), DropReason> {
        self.filter.inbound(headers, now)?;
        clamp::clamp_segment_size(bytes, headers, mtu);
        Ok(())
    }

    /// Ticks a session before it is used, unless that was just done.
    fn wake_session(&mut self, index: PeerIndex, now: Instant) {
        let due = self
            .peers
            .get(index)
            .and_then(|peer| peer.session.as_ref())
            .is_some_and(|session| session.is_due(now));
        if due {
            self.awake.insert(index);
            self.tick(index, now);
        }
    }

    /// Sends the packets that waited for a handshake.
    fn flush(&mut self, index: PeerIndex) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let (Some(session), Some(route)) = (&mut peer.session, peer.route) else {
            return;
        };
        while let Some(len) = session.waiting(&mut self.scratch) {
            let bytes = self.scratch.get(..len).unwrap_or_default();
            peer.traffic.sent_bytes += len.saturating_sub(OVERHEAD) as u64;
            self.transmits.push_back(transmit_along(&route, bytes));
        }
    }

    /// Begins a handshake with a peer whose own one was refused as too old.
    fn offer_session(&mut self, index: PeerIndex, now: Instant) {
        let Some(session) = self.peers.get_mut(index).and_then(|peer| peer.session.as_mut()) else {
            return;
        };
        if let Some(len) = session.offer(&mut self.scratch, now) {
            self.awake.insert(index);
            self.send_scratch(index, len);
        }
    }

    /// An address that stands for the sender when handshakes are counted. For a sender behind a relay it is made from
    /// its key.
    fn source(&self, way: Way, by: Option<(RelayId, PeerIndex)>) -> IpAddr {
        match way {
            Way::Direct(remote) => remote.ip(),
            Way::Relay => {
                let key = by
                    .and_then(|(_, index)| self.peers.get(index))
                    .map(|peer| peer.key);
                let half = key.and_then(|key| key.as_bytes().first_chunk::<16>().copied());
                IpAddr::V6(Ipv6Addr::from(half.unwrap_or_default()))
            }
        }
    }

    fn reply_route(&self, way: Way, by: Option<(RelayId, PeerIndex)>) -> Option<Route> {
        match way {
            Way::Direct(remote) => Some(Route::direct(remote, 0)),
            Way::Relay => {
                let (relay, index) = by?;
                let peer = self.peers.get(index)?;
                let through = self.relays.through(relay, peer.key)?;
                Some(Route::through(&through, 0))
            }
        }
    }
}
