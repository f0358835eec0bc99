//! Limits refused enrollment attempts, counted per network and per token id. Beyond the limit, attempts are refused
//! unread.
//!
//! Only refusals count, so a fleet that enrolls at once from behind one address is never slowed down.

use flotilla_pace::{Paces, Rate};
use flotilla_protocol::{Timestamp, id::TokenId, neighborhood::neighborhood};
use parking_lot::Mutex;
use std::{net::IpAddr, time::Duration};

/// Refusals per minute, and at once, after which attempts are refused unread. A person who mistypes stays below it.
const PER_MINUTE: u64 = 10;

/// Sources that are counted at the same time: some hundred KiB.
const SOURCES: usize = 4096;

/// What attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AttemptSource {
    /// An IPv4 address, or the first address of an IPv6 network.
    Network(IpAddr),
    Token(TokenId),
}

impl AttemptSource {
    /// The source of an address: an IPv4 address alone, or the IPv6 network from which one sender can choose any
    /// address.
    pub(crate) fn of(address: IpAddr) -> Self {
        Self::Network(neighborhood(address))
    }
}

/// The refusals that each source has left.
#[derive(Debug)]
pub(crate) struct Refusals(Mutex<Paces<AttemptSource, Timestamp>>);

impl Default for Refusals {
    fn default() -> Self {
        let rate = Rate::new(PER_MINUTE, Duration::from_secs(60), PER_MINUTE);
        Self(Mutex::new(Paces::new(rate, SOURCES)))
    }
}

impl Refusals {
    /// Whether the source has used up its refusals.
    pub(crate) fn is_spent(&self, source: AttemptSource, now: Timestamp) -> bool {
        !self.0.lock().wait(source, 1, now).is_zero()
    }

    pub(crate) fn count(&self, source: AttemptSource, now: Timestamp) {
        self.0.lock().charge(source, 1, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn source(address: &str) -> AttemptSource {
        AttemptSource::of(address.parse().unwrap())
    }

    fn spend(refusals: &Refusals, source: AttemptSource, now: Timestamp) {
        for _ in 0..PER_MINUTE {
            assert!(!refusals.is_spent(source, now));
            refusals.count(source, now);
        }
        assert!(refusals.is_spent(source, now));
    }

    #[test]
    fn a_source_is_heard_again_after_a_while_and_others_all_the_time() {
        let refusals = Refusals::default();
        let stranger = source("192.0.2.7");
        spend(&refusals, stranger, at(0));
        assert!(refusals.is_spent(stranger, at(5)));
        assert!(!refusals.is_spent(source("192.0.2.8"), at(5)));
        assert!(!refusals.is_spent(stranger, at(6)), "once more");
        spend(&refusals, stranger, at(60));
    }

    #[test]
    fn a_network_has_one_count_however_many_addresses_it_has() {
        let refusals = Refusals::default();
        for host in 1..=PER_MINUTE {
            refusals.count(source(&format!("2001:db8:1:2::{host:x}")), at(0));
        }
        assert!(refusals.is_spent(source("2001:db8:1:2:ffff::1"), at(0)));
        assert!(!refusals.is_spent(source("2001:db8:1:3::1"), at(0)));
        spend(&refusals, source("::ffff:192.0.2.7"), at(0));
        assert!(refusals.is_spent(source("192.0.2.7"), at(0)));
        assert!(!refusals.is_spent(source("192.0.2.8"), at(0)));
    }

    #[test]
    fn a_flood_of_sources_neither_grows_without_end_nor_makes_the_worst_ones_forgotten() {
        let refusals = Refusals::default();
        let stranger = source("192.0.2.7");
        spend(&refusals, stranger, at(0));
        for n in 0..20_000_u32 {
            refusals.count(AttemptSource::of(IpAddr::V4(n.into())), at(0));
        }
        assert!(refusals.is_spent(stranger, at(0)));
        assert_eq!(refusals.0.lock().len(), SOURCES);
    }

    #[test]
    fn minutes_that_are_over_make_room_first() {
        let refusals = Refusals::default();
        for n in 0..4_096_u32 {
            for _ in 0..5 {
                refusals.count(AttemptSource::of(IpAddr::V4(n.into())), at(0));
            }
        }
        let late = source("192.0.2.7");
        spend(&refusals, late, at(60));
        for n in 0..4_095_u32 {
            refusals.count(AttemptSource::of(IpAddr::V4((n + 10_000).into())), at(60));
        }
        assert!(refusals.is_spent(late, at(60)));
    }
}
