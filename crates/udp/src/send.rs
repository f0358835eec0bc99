//! Sends runs in as few calls as the system allows.

use crate::{
    refusal::{is_of_a_run, is_of_a_source, is_too_large},
    socket::{Route, Socket},
};
use quinn_udp::{Transmit, UdpSockRef};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    sync::PoisonError,
    time::Instant,
};

/// The longest payload of one call.
const LARGEST_SEND: usize = 65_507;

/// The result of sending a run.
#[derive(Debug, Default)]
pub struct Sent {
    /// How many bytes at the beginning of the run are done with, sent or lost. Less than all when the socket is full:
    /// the rest may be sent later.
    pub done: usize,
    /// Datagrams that were lost.
    pub lost: u64,
    /// The length of the smallest datagram that was too large for its interface.
    pub too_large: Option<usize>,
    /// Why other datagrams were lost.
    pub error: Option<io::Error>,
    /// The route's own address is not one of this system's any more, so the datagrams left from another one.
    pub source_gone: bool,
}

impl Socket {
    /// How many datagrams one call can send to a destination. Longer runs take several calls.
    pub fn longest_run(&self, remote: SocketAddr, now: Instant) -> usize {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.has(self.mapped(remote), now) {
            1
        } else {
            self.longest
        }
    }

    /// Sends datagrams of `size` bytes each, the last of which may be shorter.
    pub fn send(&self, to: Route, run: &[u8], size: usize, now: Instant) -> Sent {
        let size = size.max(1);
        let longest = self.longest_run(to.remote, now).min(LARGEST_SEND / size).max(1);
        let mut sent = Sent::default();
        for part in run.chunks(size * longest) {
            match self.send_part(to, part, size, &mut sent) {
                Err(error) if part.len() > size && is_of_a_run(&error) => {
                    if !self.send_singly(to, part, size, &mut sent, now) {
                        break;
                    }
                }
                outcome => {
                    if !sent.note(outcome, part.len(), size) {
                        break;
                    }
                }
            }
        }
        sent
    }

    /// Sends the datagrams of a refused run one by one. `false` when the socket is full.
    pub(crate) fn send_singly(
        &self,
        to: Route,
        part: &[u8],
        size: usize,
        sent: &mut Sent,
        now: Instant,
    ) -> bool {
        let lost = sent.lost;
        for one in part.chunks(size) {
            let outcome = self.send_part(to, one, size, sent);
            if !sent.note(outcome, one.len(), size) {
                return false;
            }
        }
        if sent.lost == lost {
            // Every datagram passed alone, so the destination takes no runs.
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.note(self.mapped(to.remote), now);
        }
        true
    }

    /// Sends a part that is short enough for one call.
    pub(crate) fn send_part(&self, to: Route, part: &[u8], size: usize, sent: &mut Sent) -> io::Result<()> {
        let mut transmit = Transmit {
            destination: self.mapped(to.remote),
            ecn: None,
            contents: part,
            segment_size: (part.len() > size).then_some(size),
            src_ip: to.local.map(|local| self.mapped_ip(local)),
        };
        let outcome = self.state.try_send(UdpSockRef::from(&self.socket), &transmit);
        match outcome {
            Err(error) if transmit.src_ip.is_some() && is_of_a_source(&error) => {
                transmit.src_ip = None;
                self.state.try_send(UdpSockRef::from(&self.socket), &transmit)?;
                sent.source_gone = true;
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// An IPv6 socket writes IPv4 addresses as mapped ones.
    fn mapped(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.is_v6 => SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port())),
            other => other,
        }
    }

    fn mapped_ip(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) if self.is_v6 => IpAddr::V6(v4.to_ipv6_mapped()),
            other => other,
        }
    }
}

impl Sent {
    /// Counts the result of one call. `false` when the socket is full, after which nothing more need be tried.
    fn note(&mut self, outcome: io::Result<()>, length: usize, size: usize) -> bool {
        match outcome {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => {
                self.lost += length.div_ceil(size) as u64;
                if is_too_large(&error) {
                    self.too_large = Some(self.too_large.map_or(length, |least| least.min(length)));
                } else {
                    self.error = Some(error);
                }
            }
        }
        self.done += length;
        true
    }
}
