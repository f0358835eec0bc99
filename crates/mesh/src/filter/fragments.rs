//! Packets in pieces: of each the first fragment is judged, and the later ones follow it.

use flotilla_wire::packet::Headers;
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

/// How long later fragments may follow the first: as long as receivers keep them (RFC 1122 §3.3.2).
const LIFE: Duration = Duration::from_secs(30);

/// Packets of one peer whose fragments are under way: paths that reorder do so by a few packets.
pub(super) const FIRSTS_PER_PEER: usize = 128;

/// What all fragments of a packet have in common, beside the sender.
type Whole = (IpAddr, u8, u32);

/// The first fragments that were let in, by sender and in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Fragments(BTreeMap<IpAddr, VecDeque<(Whole, Instant)>>);

impl Fragments {
    /// Notes a first fragment that was let in; of any other packet nothing.
    pub(super) fn note(&mut self, headers: &Headers, now: Instant) {
        let Some(whole) = whole(headers) else { return };
        if !self.0.contains_key(&headers.source) {
            // A new source is rare, so the whole table may be swept for sources that are silent.
            self.0
                .retain(|_, firsts| firsts.back().is_some_and(|first| is_alive(first, now)));
        }
        let firsts = self.0.entry(headers.source).or_default();
        firsts.push_back((whole, now));
        while firsts.len() > FIRSTS_PER_PEER || firsts.front().is_some_and(|first| !is_alive(first, now)) {
            firsts.pop_front();
        }
    }

    /// Whether the first fragment of this later one was let in.
    pub(super) fn have(&self, headers: &Headers, now: Instant) -> bool {
        let firsts = self.0.get(&headers.source).into_iter().flatten();
        let mut alive = firsts.rev().take_while(|first| is_alive(first, now));
        alive.any(|(first, _)| Some(*first) == whole(headers))
    }
}

fn whole(headers: &Headers) -> Option<Whole> {
    Some((headers.destination, headers.protocol, headers.fragment?))
}

fn is_alive((_, seen): &(Whole, Instant), now: Instant) -> bool {
    now.saturating_duration_since(*seen) <= LIFE
}
