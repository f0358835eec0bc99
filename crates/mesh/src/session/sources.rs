//! Limits the handshakes of each source that proved its address, as the kernel's WireGuard does: 20 per second, 5 of
//! them at once.

use flotilla_protocol::neighborhood::neighborhood;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(50);
const AT_ONCE: u32 = 5;

/// The most sources that are counted at one time. When there are more, as in an attack from many networks, the counted
/// ones go on, and others have to wait.
const MAX_SOURCES: usize = 4096;

/// For each source, when its use of the limit is paid off.
#[derive(Debug, Default)]
pub(super) struct Sources {
    calm: BTreeMap<IpAddr, Instant>,
    /// When sources that are paid off are next removed.
    sweep: Option<Instant>,
}

impl Sources {
    /// Counts a handshake; returns whether it may pass.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        let source = neighborhood(source);
        let calm = self.calm.get(&source).copied();
        if calm.is_none() && !self.has_room(now) {
            return false;
        }
        let calm = calm.map_or(now, |calm| calm.max(now)) + PAUSE;
        let may = calm <= now + PAUSE * AT_ONCE;
        if may {
            self.calm.insert(source, calm);
        }
        may
    }

    fn has_room(&mut self, now: Instant) -> bool {
        if self.calm.len() >= MAX_SOURCES && self.sweep.is_none_or(|sweep| now >= sweep) {
            self.calm.retain(|_, calm| *calm > now);
            self.sweep = Some(now + PAUSE);
        }
        self.calm.len() < MAX_SOURCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_begins_five_at_once_and_twenty_a_second() {
        let (mut sources, begin) = (Sources::default(), Instant::now());
        let source = "198.51.100.7".parse().unwrap();
        let at_once = (0..100).filter(|_| sources.admit(source, begin)).count();
        assert_eq!(at_once, 5);
        let during = |ms| begin + Duration::from_secs(1) + Duration::from_millis(ms);
        let in_ten_seconds = (0..10_000)
            .filter(|ms| sources.admit(source, during(*ms)))
            .count();
        assert!((200..=205).contains(&in_ten_seconds), "{in_ten_seconds}");
        assert!(sources.admit("198.51.100.8".parse().unwrap(), during(10_000)));
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        let (mut sources, now) = (Sources::default(), Instant::now());
        let address = |net: u16, host: u16| IpAddr::from([0x2001, 0xdb8, 0, net, 0, 0, 0, host]);
        let admitted = (0..1000)
            .filter(|host| sources.admit(address(1, *host), now))
            .count();
        assert_eq!(admitted, 5);
        assert!(sources.admit(address(2, 1), now));
    }

    #[test]
    fn a_flood_of_sources_is_bounded_and_passes() {
        let (mut sources, now) = (Sources::default(), Instant::now());
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        let admitted = (0..100_000).filter(|n| sources.admit(address(*n), now)).count();
        assert_eq!((admitted, sources.calm.len()), (MAX_SOURCES, MAX_SOURCES));
        assert!(sources.admit(address(0), now), "the first ones go on");
        let later = now + Duration::from_secs(1);
        assert!(sources.admit(address(200_000), later));
        assert_eq!(sources.calm.len(), 1);
    }
}
