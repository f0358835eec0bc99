//! How often a stranger may be refused before nobody listens: counted per network address and per token id.
//!
//! Only refusals count, so a fleet that enrolls at once from behind one address is never slowed down.

use flotilla_protocol::{Timestamp, id::TokenId};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Refusals per minute after which the next attempt is not looked at. A person who mistypes stays below it.
const PER_MINUTE: u32 = 10;

/// Sources remembered at the same time; a flood from more of them forgets the oldest minutes first.
const SOURCES: usize = 4096;

/// Where attempts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Address(IpAddr),
    Token(TokenId),
}

/// Refusals of the present minute, by source.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<Source, (i64, u32)>>);

impl Refusals {
    /// Whether the source has used up its refusals.
    pub(crate) fn is_spent(&self, source: Source, now: Timestamp) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(&source)
            .is_some_and(|(minute, count)| *minute == minute_of(now) && *count >= PER_MINUTE)
    }

    pub(crate) fn count(&self, source: Source, now: Timestamp) {
        let minute = minute_of(now);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= SOURCES && !counts.contains_key(&source) {
            counts.retain(|_, (then, _)| *then == minute);
            if counts.len() >= SOURCES {
                counts.clear();
            }
        }
        let entry = counts.entry(source).or_insert((minute, 0));
        *entry = if entry.0 == minute {
            (minute, entry.1.saturating_add(1))
        } else {
            (minute, 1)
        };
    }
}

fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_source_is_heard_again_in_the_next_minute_and_others_all_the_time() {
        let refusals = Refusals::default();
        let stranger = Source::Address("192.0.2.7".parse().unwrap());
        for _ in 0..PER_MINUTE {
            assert!(!refusals.is_spent(stranger, at(0)));
            refusals.count(stranger, at(0));
        }
        assert!(refusals.is_spent(stranger, at(59)));
        assert!(!refusals.is_spent(Source::Address("192.0.2.8".parse().unwrap()), at(59)));
        assert!(!refusals.is_spent(stranger, at(60)));
    }

    #[test]
    fn a_flood_of_sources_does_not_grow_without_end() {
        let refusals = Refusals::default();
        for n in 0..10_000_u32 {
            refusals.count(Source::Address(IpAddr::V4(n.into())), at(0));
        }
        assert!(refusals.0.lock().unwrap().len() <= SOURCES);
    }
}
