//! Fragmented packets: of each the first fragment is judged, and the later ones are treated like it.

use flotilla_wire::packet::Headers;
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

/// How long later fragments may come after the first: as long as receivers keep them (RFC 1122 §3.3.2).
const LIFETIME: Duration = Duration::from_secs(30);

/// How many packets of one peer may have fragments outstanding: paths that reorder packets do so by a few.
pub(super) const FIRSTS_PER_PEER: usize = 128;

/// What identifies all fragments of a packet, beside the sender.
type FragmentKey = (IpAddr, u8, u32);

/// The first fragments that were let in, by sender, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Fragments(BTreeMap<IpAddr, VecDeque<(FragmentKey, Instant)>>);

impl Fragments {
    /// Notes a first fragment that was let in; ignores any other packet.
    pub(super) fn note(&mut self, headers: &Headers, now: Instant) {
        let Some(whole) = fragment_key(headers) else {
            return;
        };
        if !self.0.contains_key(&headers.source) {
            // A new source is rare, so this is a cheap moment to remove sources that are silent.
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
        alive.any(|(first, _)| Some(*first) == fragment_key(headers))
    }
}

fn fragment_key(headers: &Headers) -> Option<FragmentKey> {
    Some((headers.destination, headers.protocol, headers.fragment?))
}

fn is_alive((_, seen): &(FragmentKey, Instant), now: Instant) -> bool {
    now.saturating_duration_since(*seen) <= LIFETIME
}
