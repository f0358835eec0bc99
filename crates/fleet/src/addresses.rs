//! The mesh's address range, and which device has which address in it.
//!
//! A fleet's range is a random /16 of the space for carrier-grade NAT (RFC 6598), which few local networks use;
//! random, so that two fleets on one computer rarely meet. A device has its address from the moment it is added until
//! it is removed; no other device gets it meanwhile.

use flotilla_protocol::cidr::IpRange;
use rand::{Rng, seq::IndexedRandom};
use std::{collections::BTreeSet, fmt, net::Ipv4Addr, str::FromStr};

/// An IPv4 range: `100.71.0.0/16`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: u32,
    prefix: u8,
}

/// The text is not an IPv4 range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an IPv4 range as ADDRESS/PREFIX, for example 100.71.0.0/16")]
pub struct InvalidCidr;

/// The prefix of a fleet's range: room for 65,534 devices.
const FLEET_PREFIX: u8 = 16;

impl Cidr {
    /// 100.64.0.0/10.
    pub const SHARED_SPACE: Self = Self {
        network: u32::from_be_bytes([100, 64, 0, 0]),
        prefix: 10,
    };

    #[must_use]
    pub fn network(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network)
    }

    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask() == self.network
    }

    #[must_use]
    pub fn overlaps(&self, other: &Cidr) -> bool {
        let shorter = self.mask() & other.mask();
        self.network & shorter == other.network & shorter
    }

    /// The lowest address that no device has, or `None` when the range is full. The first and the last address of a
    /// range are never given out: they stand for the range itself and for all addresses in it (broadcast).
    #[must_use]
    pub fn free_address(&self, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let last = self.network | !self.mask();
        (self.network.saturating_add(1)..last)
            .map(Ipv4Addr::from_bits)
            .find(|address| !taken.contains(address))
    }

    /// The address of this range with the same host part as `address` has in `from`; `None` when this range is too
    /// small to have it.
    #[must_use]
    pub fn moved(&self, address: Ipv4Addr, from: &Cidr) -> Option<Ipv4Addr> {
        let place = address.to_bits() & !from.mask();
        let last = !self.mask();
        (0 < place && place < last).then(|| Ipv4Addr::from_bits(self.network | place))
    }

    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }
}

/// Clouds have their name servers, metadata services and clocks in this range, reached by the default route, and
/// another mesh product has its name server there. This computer's routes do not show that, but a device of the fleet
/// may be in such a cloud.
const CLOUD: Cidr = Cidr {
    network: u32::from_be_bytes([100, 100, 0, 0]),
    prefix: FLEET_PREFIX,
};

/// Picks the range of a new fleet, clear of networks that this computer routes already and of name servers that it
/// uses. Default routes, also in pieces (`0.0.0.0/1`), do not count as such networks. `None` when local networks leave
/// no room.
#[must_use]
pub fn choose_range(routes: &[Cidr], random: &mut impl Rng) -> Option<Cidr> {
    let is_free = |range: &Cidr| {
        let mut networks = routes
            .iter()
            .filter(|route| !IpRange::from(**route).is_last_resort());
        *range != CLOUD && !networks.any(|route| route.overlaps(range))
    };
    let free: Vec<Cidr> = (0..1u32 << (FLEET_PREFIX - Cidr::SHARED_SPACE.prefix))
        .map(|index| Cidr {
            network: Cidr::SHARED_SPACE.network | index << (32 - FLEET_PREFIX),
            prefix: FLEET_PREFIX,
        })
        .filter(is_free)
        .collect();
    free.choose(random).copied()
}

impl From<Cidr> for IpRange {
    fn from(range: Cidr) -> Self {
        Self::new(range.network().into(), range.prefix).expect("a prefix of at most 32 bits")
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network(), self.prefix)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    /// Bits of the address behind the prefix are cleared, as routing tables do.
    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidCidr)?;
        let address: Ipv4Addr = address.parse().map_err(|_| InvalidCidr)?;
        let prefix: u8 = prefix.parse().map_err(|_| InvalidCidr)?;
        if prefix > 32 {
            return Err(InvalidCidr);
        }
        let mut range = Self { network: 0, prefix };
        range.network = address.to_bits() & range.mask();
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_prints_as_it_parses() {
        assert_eq!(cidr("100.71.0.0/16").to_string(), "100.71.0.0/16");
        assert_eq!(cidr("192.168.1.77/24").to_string(), "192.168.1.0/24");
        assert_eq!(cidr("1.2.3.4/0").to_string(), "0.0.0.0/0");
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "fd00::/8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(bad.parse::<Cidr>(), Err(InvalidCidr), "{bad}");
        }
    }

    #[test]
    fn the_only_range_left_is_found_and_no_range_is_invented() {
        let all_but_one: Vec<Cidr> = (64..128)
            .filter(|second| *second != 99)
            .map(|second| cidr(&format!("100.{second}.3.0/24")))
            .collect();
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(
            choose_range(&all_but_one, &mut random),
            Some(cidr("100.99.0.0/16"))
        );
        assert_eq!(choose_range(&[cidr("100.64.0.0/10")], &mut random), None);
    }

    #[test]
    fn the_default_route_is_not_in_the_way_whole_or_in_pieces() {
        for routes in [
            &["0.0.0.0/0"][..],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["64.0.0.0/2", "96.0.0.0/3"],
        ] {
            let routes: Vec<_> = routes.iter().map(|text| cidr(text)).collect();
            assert!(
                choose_range(&routes, &mut StdRng::seed_from_u64(1)).is_some(),
                "{routes:?}"
            );
        }
    }

    #[test]
    fn a_range_with_a_name_server_in_it_is_not_chosen() {
        let all_but_two = (64..128).filter(|second| ![99, 100].contains(second));
        let mut used: Vec<Cidr> = all_but_two
            .map(|second| cidr(&format!("100.{second}.2.136/32")))
            .collect();
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(
            choose_range(&used, &mut random),
            Some(cidr("100.99.0.0/16")),
            "nor a cloud's"
        );
        used.push(cidr("100.99.0.1/32"));
        assert_eq!(choose_range(&used, &mut random), None);
    }

    #[test]
    fn an_address_comes_back_only_after_its_device_is_gone() {
        let range = cidr("100.71.0.0/16");
        let address = |last| Ipv4Addr::new(100, 71, 0, last);
        let mut taken: BTreeSet<_> = [address(1), address(2), address(4)].into();
        assert_eq!(range.free_address(&taken), Some(address(3)));
        taken.insert(address(3));
        assert_eq!(range.free_address(&taken), Some(address(5)));
        taken.remove(&address(1));
        assert_eq!(range.free_address(&taken), Some(address(1)));
    }

    #[test]
    fn a_full_range_has_no_address() {
        let range = cidr("10.0.0.0/30");
        let mut taken = BTreeSet::new();
        while let Some(address) = range.free_address(&taken) {
            assert!(range.contains(address) && taken.insert(address));
        }
        assert_eq!(taken.len(), 2);
        assert_eq!(cidr("10.0.0.0/32").free_address(&BTreeSet::new()), None);
    }

    #[test]
    fn an_address_keeps_its_place_in_another_range_that_has_it() {
        let (old, new) = (cidr("100.71.0.0/16"), cidr("10.9.0.0/24"));
        let at = |a, b, c, d| Ipv4Addr::new(a, b, c, d);
        assert_eq!(new.moved(at(100, 71, 0, 7), &old), Some(at(10, 9, 0, 7)));
        assert_eq!(new.moved(at(100, 71, 1, 7), &old), None, "there is no such place");
        assert_eq!(
            new.moved(at(100, 71, 0, 255), &old),
            None,
            "it is the broadcast address"
        );
    }

    proptest! {
        #[test]
        fn the_chosen_range_meets_no_route(
            seed: u64,
            routes in proptest::collection::vec((any::<u32>(), 8u8..=32), 0..40),
        ) {
            let routes: Vec<Cidr> = routes
                .into_iter()
                .map(|(address, prefix)| cidr(&format!("{}/{prefix}", Ipv4Addr::from_bits(address))))
                .collect();
            if let Some(range) = choose_range(&routes, &mut StdRng::seed_from_u64(seed)) {
                prop_assert!(Cidr::SHARED_SPACE.overlaps(&range) && range.prefix() == 16);
                prop_assert!(!routes.iter().any(|route| route.overlaps(&range)));
            }
        }

        #[test]
        fn ranges_overlap_when_they_share_an_address(a: u32, b: u32, pa in 0u8..=32, pb in 0u8..=32) {
            let a = cidr(&format!("{}/{pa}", Ipv4Addr::from_bits(a)));
            let b = cidr(&format!("{}/{pb}", Ipv4Addr::from_bits(b)));
            prop_assert_eq!(a.overlaps(&b), a.contains(b.network()) || b.contains(a.network()));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9./]{0,24}") {
            if let Ok(range) = text.parse::<Cidr>() {
                prop_assert_eq!(range.to_string().parse(), Ok(range));
            }
        }
    }
}
