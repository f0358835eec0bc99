//! How many flows each peer has, and which of them were used last.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// The ends of a list of flows, by their places in the table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) newest: Option<u32>,
    pub(super) oldest: Option<u32>,
}

#[derive(Debug)]
struct Share {
    peer: IpAddr,
    count: u32,
    open: Ends,
    barred: Ends,
}

/// The share of each peer that has flows.
#[derive(Debug, Default)]
pub(super) struct Shares {
    peers: BTreeMap<IpAddr, u32>,
    by_count: BTreeSet<(u32, IpAddr)>,
    shares: Vec<Share>,
    /// Places in `shares` that are free.
    free: Vec<u32>,
}

impl Shares {
    /// Counts one more flow of a peer; returns the place of its share.
    pub(super) fn enter(&mut self, peer: IpAddr) -> u32 {
        let place = match self.peers.get(&peer) {
            Some(place) => *place,
            None => self.assign_place(peer),
        };
        self.recount(place, 1);
        place
    }

    /// Counts one flow less.
    pub(super) fn leave(&mut self, place: u32) {
        self.recount(place, -1);
        if let Some(share) = self.shares.get(place as usize)
            && share.count == 0
        {
            self.peers.remove(&share.peer);
            self.by_count.remove(&(0, share.peer));
            self.free.push(place);
        }
    }

    pub(super) fn ends(&mut self, place: u32, barred: bool) -> Option<&mut Ends> {
        let share = self.shares.get_mut(place as usize)?;
        Some(if barred {
            &mut share.barred
        } else {
            &mut share.open
        })
    }

    pub(super) fn unlink_all(&mut self) {
        for share in &mut self.shares {
            (share.open, share.barred) = (Ends::default(), Ends::default());
        }
    }

    /// The flow that is removed to make room for one of `opener`.
    pub(super) fn victim(&self, opener: IpAddr) -> Option<u32> {
        let (most, largest) = *self.by_count.last()?;
        let peer = if self.by_count.contains(&(most, opener)) {
            opener
        } else {
            largest
        };
        let share = self.shares.get(*self.peers.get(&peer)? as usize)?;
        share.open.oldest.or(share.barred.oldest)
    }

    fn assign_place(&mut self, peer: IpAddr) -> u32 {
        let share = Share {
            peer,
            count: 0,
            open: Ends::default(),
            barred: Ends::default(),
        };
        let place = self.free.pop().unwrap_or_else(|| {
            // There are no more shares than flows, and their places fit in 32 bits.
            u32::try_from(self.shares.len()).unwrap_or(u32::MAX)
        });
        match self.shares.get_mut(place as usize) {
            Some(old) => *old = share,
            None => self.shares.push(share),
        }
        self.peers.insert(peer, place);
        place
    }

    fn recount(&mut self, place: u32, change: i32) {
        if let Some(share) = self.shares.get_mut(place as usize) {
            self.by_count.remove(&(share.count, share.peer));
            share.count = share.count.saturating_add_signed(change);
            self.by_count.insert((share.count, share.peer));
        }
    }
}
