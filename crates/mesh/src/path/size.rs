//! How large a packet may be on the way in use, and the pings that find it out.

use super::{Paths, Way, mtu::PathMtu};
use std::time::Instant;

impl Paths {
    /// Largest IP packet on the way in use.
    pub(crate) fn mtu(&self) -> u16 {
        self.mtu_in_use().get()
    }

    /// Whether a packet is larger than what every way carries.
    pub(crate) fn is_large(size: usize) -> bool {
        size > usize::from(PathMtu::least())
    }

    /// Such a packet is to be sent. Whether its path's size is therefore in question.
    pub(crate) fn note_large(&mut self, now: Instant) -> bool {
        match (self.current, self.relay) {
            (Some(_), _) => self.mtu.note_large(now),
            (None, true) => self.relay_mtu.note_large(now),
            (None, false) => false,
        }
    }

    /// The system sends no packet of this size on the way in use. Whether that is news.
    pub(crate) fn refuse(&mut self, size: usize, now: Instant) -> bool {
        match self.current {
            Some(_) => self.mtu.refuse(size, now),
            None => self.relay_mtu.refuse(size, now),
        }
    }

    pub(super) fn try_size(&mut self, now: Instant) {
        let rtt = self.rtt();
        let (way, mtu) = match self.current {
            Some(current) => (Way::Direct(current), self.mtu.poll(rtt, now)),
            None => (Way::Relay, self.relay_mtu.poll(rtt, now)),
        };
        if mtu.is_some() {
            self.ping(way, mtu, now);
        }
    }

    pub(super) fn mtu_in_use(&self) -> &PathMtu {
        match self.current {
            Some(_) => &self.mtu,
            None => &self.relay_mtu,
        }
    }
}
