//! Limits how many hellos of one address are checked: a check costs a tenth of a millisecond, and sending a hello
//! costs nothing.

use flotilla_pace::{Paces, Rate};
use flotilla_protocol::neighborhood::neighborhood;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

/// Hellos that may come at once: an office of devices behind one address that comes back after a power cut.
const BURST: u64 = 512;

/// After this time one more hello may come.
const REFILL: Duration = Duration::from_millis(20);

/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

#[derive(Debug)]
pub(super) struct HelloLimiter(Paces<IpAddr, Instant>);

impl Default for HelloLimiter {
    fn default() -> Self {
        Self(Paces::new(Rate::new(1, REFILL, BURST), ADDRESSES))
    }
}

impl HelloLimiter {
    pub(super) fn allows(&mut self, ip: IpAddr, now: Instant) -> bool {
        self.0.take(neighborhood(ip), 1, now)
    }

    /// Forgets addresses that have all hellos left.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.0.sweep(now);
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
