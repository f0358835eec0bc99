//! How many hellos of one address are looked at: checking one costs a tenth of a millisecond, saying one nothing.

use flotilla_protocol::neighborhood::neighborhood;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Hellos at once: an office of devices behind one address that comes back after a power cut.
const BURST: u32 = 512;

/// One more every so often.
const REFILL: Duration = Duration::from_millis(20);

/// Addresses that are remembered. For one more, whoever hurried the least is forgotten, and loses nothing by it: so
/// nobody is kept out by somebody who has many addresses.
const ADDRESSES: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Gate(BTreeMap<IpAddr, Bucket>);

#[derive(Debug)]
struct Bucket {
    left: u32,
    since: Instant,
}

impl Gate {
    pub(super) fn opens(&mut self, ip: IpAddr, now: Instant) -> bool {
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

    /// Forgets who has been quiet.
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
        let (mut gate, start) = (Gate::default(), Instant::now());
        let (one, same, other) = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1");
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!((0..BURST).all(|_| gate.opens(ip(one), start)));
        assert!(!gate.opens(ip(same), start));
        assert!(gate.opens(ip(other), start));
        assert!(gate.opens(ip(one), start + REFILL));
        assert!(!gate.opens(ip(one), start + REFILL));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_keeps_nobody_out() {
        let (mut gate, start) = (Gate::default(), Instant::now());
        let address = |bits| IpAddr::from(std::net::Ipv4Addr::from_bits(bits));
        for _ in 0..BURST {
            assert!(gate.opens(address(0), start));
        }
        for bits in 1..20_000u32 {
            assert!(gate.opens(address(bits), start));
            assert!(gate.0.len() <= ADDRESSES);
        }
        assert!(
            !gate.opens(address(0), start),
            "who hurried is remembered, however many come"
        );
        gate.sweep(start + Duration::from_secs(60));
        assert!(gate.0.is_empty());
    }
}
