//! The mesh's address range, and which device has which address in it.
//!
//! A fleet's range is a random /16 of the space for carrier-grade NAT (RFC 6598), which few local networks use;
//! random, so that two fleets on one computer rarely meet. A device has its address from the moment it is added until
//! it is removed; no other device gets it meanwhile.

use flotilla_protocol::cidr::{IpRange, Ipv4Net};
use rand::{Rng, seq::IndexedRandom};
use std::{collections::BTreeSet, net::Ipv4Addr};

/// The space that a fleet's range is chosen from.
const SHARED_SPACE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);

/// The prefix of a fleet's range: room for 65,534 devices.
const FLEET_PREFIX: u8 = 16;

/// Clouds have their name servers, metadata services and clocks in this range, reached by the default route, and
/// another mesh product has its name server there. This computer's routes do not show that, but a device of the fleet
/// may be in such a cloud.
const CLOUD: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 100, 0, 0), FLEET_PREFIX);

/// The range of a new fleet where local networks leave no room.
pub const LAST_CHOICE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), FLEET_PREFIX);

/// Picks the range of a new fleet, clear of networks that this computer routes already and of name servers that it
/// uses. Default routes, also in pieces (`0.0.0.0/1`), do not count as such networks. `None` when local networks leave
/// no room.
#[must_use]
pub fn choose_range(routes: &[IpRange], random: &mut impl Rng) -> Option<Ipv4Net> {
    let is_free = |range: &Ipv4Net| {
        let mut networks = routes.iter().filter(|route| !route.is_last_resort());
        *range != CLOUD && !networks.any(|route| route.overlaps(&(*range).into()))
    };
    let ranges = SHARED_SPACE.subnets(FLEET_PREFIX).into_iter().flatten();
    let free: Vec<_> = ranges.filter(is_free).collect();
    free.choose(random).copied()
}

/// The lowest address of a range that no device has, or `None` when it is full. The first and the last address of a
/// range are never given out: they stand for the range itself and for all addresses in it (broadcast).
pub fn free_address(range: Ipv4Net, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let (first, last) = (range.network().to_bits(), range.broadcast().to_bits());
    (first.saturating_add(1)..last)
        .map(Ipv4Addr::from_bits)
        .find(|address| !taken.contains(address))
}

/// The address of the range `to` with the same host part as `address` has in `from`; `None` when `to` is too small to
/// have it.
#[must_use]
pub fn moved(address: Ipv4Addr, from: Ipv4Net, to: Ipv4Net) -> Option<Ipv4Addr> {
    let place = address & from.hostmask();
    let is_there = Ipv4Addr::UNSPECIFIED < place && place < to.hostmask();
    is_there.then(|| to.network() | place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn cidr(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    fn v4(text: &str) -> Ipv4Net {
        cidr(text).v4().unwrap()
    }

    #[test]
    fn the_only_range_left_is_found_and_no_range_is_invented() {
        let all_but_one: Vec<IpRange> = (64..128)
            .filter(|second| *second != 99)
            .map(|second| cidr(&format!("100.{second}.3.0/24")))
            .collect();
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(choose_range(&all_but_one, &mut random), Some(v4("100.99.0.0/16")));
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
        let mut used: Vec<IpRange> = all_but_two
            .map(|second| cidr(&format!("100.{second}.2.136/32")))
            .collect();
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(
            choose_range(&used, &mut random),
            Some(v4("100.99.0.0/16")),
            "nor a cloud's"
        );
        used.push(cidr("100.99.0.1/32"));
        assert_eq!(choose_range(&used, &mut random), None);
    }

    #[test]
    fn an_address_comes_back_only_after_its_device_is_gone() {
        let range = v4("100.71.0.0/16");
        let address = |last| Ipv4Addr::new(100, 71, 0, last);
        let mut taken: BTreeSet<_> = [address(1), address(2), address(4)].into();
        assert_eq!(free_address(range, &taken), Some(address(3)));
        taken.insert(address(3));
        assert_eq!(free_address(range, &taken), Some(address(5)));
        taken.remove(&address(1));
        assert_eq!(free_address(range, &taken), Some(address(1)));
    }

    #[test]
    fn a_full_range_has_no_address() {
        let range = v4("10.0.0.0/30");
        let mut taken = BTreeSet::new();
        while let Some(address) = free_address(range, &taken) {
            assert!(range.contains(&address) && taken.insert(address));
        }
        assert_eq!(taken.len(), 2);
        assert_eq!(free_address(v4("10.0.0.0/32"), &BTreeSet::new()), None);
    }

    #[test]
    fn an_address_keeps_its_place_in_another_range_that_has_it() {
        let (old, new) = (v4("100.71.0.0/16"), v4("10.9.0.0/24"));
        let at = |a, b, c, d| Ipv4Addr::new(a, b, c, d);
        assert_eq!(moved(at(100, 71, 0, 7), old, new), Some(at(10, 9, 0, 7)));
        assert_eq!(moved(at(100, 71, 1, 7), old, new), None, "there is no such place");
        assert_eq!(
            moved(at(100, 71, 0, 255), old, new),
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
            let routes: Vec<IpRange> = routes
                .into_iter()
                .map(|(address, prefix)| cidr(&format!("{}/{prefix}", Ipv4Addr::from_bits(address))))
                .collect();
            if let Some(range) = choose_range(&routes, &mut StdRng::seed_from_u64(seed)) {
                prop_assert!(SHARED_SPACE.contains(&range) && range.prefix_len() == 16);
                prop_assert!(!routes.iter().any(|route| route.overlaps(&range.into())));
            }
        }
    }
}
