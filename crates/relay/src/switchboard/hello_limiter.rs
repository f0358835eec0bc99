//! Limits how many hellos of one address are checked: a check costs a tenth of a millisecond, and sending a hello
//! costs nothing.

use flotilla_protocol::neighborhood::neighborhood;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Hellos that may come at once: an office of devices behind one address that comes back after a power cut.
const BURST: u32 = 512;

/// After this time one more hello may come.
const REFILL: Duration = Duration::from_millis(20);

/// Addresses that are remembered. For one more, the address with the most hellos left is forgotten, which costs that
/// address nothing. So a sender with many addresses cannot keep out others.
const ADDRESSES: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct HelloLimiter(BTreeMap<IpAddr, Bucket>);

#[derive(Debug)]
struct Bucket {
    left: u32,
    since: Instant,
}

impl HelloLimiter {
    pub(super) fn allows(&mut self, ip: IpAddr, now: Instant) -> bool {
        let neighborhood = neighborhood(ip);
        if self.0.len() >= ADDRESSES && !self.0.contains_key(&neighborhood) {
            self.make_room();
        }
        let bucket = self.0.entry(neighborhood).or_insert(Bucket {
            left: BURST,
            since: now,
        });
        bucket.refill(now);
        match bucket.left.checked_sub(1) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }

    fn make_room(&mut self) {
        let calmest = self.0.iter().max_by_key(|(_, bucket)| bucket.left);
        if let Some(calmest) = calmest.map(|(address, _)| *address) {
            self.0.remove(&calmest);
        }
    }

    /// Forgets addresses whose bucket is full again.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.0.retain(|_, bucket| {
            bucket.refill(now);
            bucket.left < BURST
        });
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        let drops = u32::try_from(passed.as_millis() / REFILL.as_millis()).unwrap_or(u32::MAX);
        if drops > 0 {
            self.left = self.left.saturating_add(drops).min(BURST);
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_hurries_is_slowed_down_and_its_neighbor_is_not() {
        let (mut limiter, start) = (HelloLimiter::default(), Instant::now());
        let (one, same, other) = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1");
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!((0..BURST).all(|_| limiter.allows(ip(one), start)));
        assert!(!limiter.allows(ip(same), start));
        assert!(limiter.allows(ip(other), start));
        assert!(limiter.allows(ip(one), start + REFILL));
        assert!(!limiter.allows(ip(one), start + REFILL));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_keeps_no_address_out() {
        let (mut limiter, start) = (HelloLimiter::default(), Instant::now());
        let address = |bits| IpAddr::from(std::net::Ipv4Addr::from_bits(bits));
        for _ in 0..BURST {
            assert!(limiter.allows(address(0), start));
        }
        for bits in 1..20_000u32 {
            assert!(limiter.allows(address(bits), start));
            assert!(limiter.0.len() <= ADDRESSES);
        }
        assert!(
            !limiter.allows(address(0), start),
            "an address that hurried is remembered, however many come"
        );
        limiter.sweep(start + Duration::from_secs(60));
        assert!(limiter.0.is_empty());
    }
}
