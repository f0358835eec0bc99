//! A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3), of either family.

use crate::text::written_as_text;
use ipnet::{IpNet, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A range of IPv4 addresses, such as the mesh's own.
pub use ipnet::Ipv4Net;

/// The text is not `ADDRESS/PREFIX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a range as ADDRESS/PREFIX, for example 192.168.1.0/24 or fd00::/8.")]
pub struct InvalidRange;

/// All addresses that begin with the same bits. Bits behind the prefix are zero, as in routing tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange(IpNet);

impl IpRange {
    /// Bits behind the prefix are cleared.
    ///
    /// # Errors
    /// The prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, InvalidRange> {
        let range = IpNet::new(address, prefix).map_err(|_| InvalidRange)?;
        Ok(Self(range.trunc()))
    }

    /// The range of one address.
    pub fn one(address: IpAddr) -> Self {
        Self(address.into())
    }

    pub fn first(&self) -> IpAddr {
        self.0.addr()
    }

    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }

    /// The range, if its addresses are IPv4.
    pub fn v4(&self) -> Option<Ipv4Net> {
        match self.0 {
            IpNet::V4(range) => Some(range),
            IpNet::V6(_) => None,
        }
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }

    /// Whether all of its addresses are private, so that no computer has one of them on the internet: those of private
    /// networks (RFC 1918, RFC 4193), and those between a provider and its customers (RFC 6598).
    pub fn is_private(&self) -> bool {
        const SPACES: [IpNet; 5] = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10)),
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
        ];
        SPACES.iter().any(|space| space.contains(&self.0))
    }

    /// Whether it is a default route or a piece of one. A VPN that takes all traffic may route it as two halves, or as
    /// several ranges that leave out private networks; each of these is larger than any one network.
    pub fn is_last_resort(&self) -> bool {
        self.prefix() < if self.first().is_ipv4() { 8 } else { 4 }
    }

    /// The fewest ranges that hold exactly the addresses of the given ones. Sorted.
    #[must_use]
    pub fn merged(ranges: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let ranges = ranges.into_iter().map(|range| range.0).collect();
        IpNet::aggregate(&ranges).into_iter().map(Self).collect()
    }
}

impl FromStr for IpRange {
    type Err = InvalidRange;

    /// An address with leading zeros, which some programs read as octal, is refused, as the standard library does.
    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidRange)?;
        if !prefix.bytes().all(|c| c.is_ascii_digit()) {
            return Err(InvalidRange);
        }
        let address = address.parse().map_err(|_| InvalidRange)?;
        Self::new(address, prefix.parse().map_err(|_| InvalidRange)?)
    }
}

impl From<Ipv4Net> for IpRange {
    fn from(range: Ipv4Net) -> Self {
        Self(range.trunc().into())
    }
}

written_as_text!(IpRange, InvalidRange);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_prints_without_the_bits_behind_its_prefix() {
        assert_eq!(range("192.168.1.77/24").to_string(), "192.168.1.0/24");
        assert_eq!(range("fd12:3456::9/32").to_string(), "fd12:3456::/32");
        assert_eq!(range("1.2.3.4/0").to_string(), "0.0.0.0/0");
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0/8",
            "010.0.0.0/8",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "x/8",
        ] {
            assert_eq!(bad.parse::<IpRange>(), Err(InvalidRange), "{bad}");
        }
    }

    #[test]
    fn a_range_holds_addresses_of_its_own_family_only() {
        assert!(range("100.64.0.0/10").contains("100.127.255.255".parse().unwrap()));
        assert!(!range("100.64.0.0/10").contains("100.128.0.0".parse().unwrap()));
        assert!(!range("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(IpRange::one("::1".parse().unwrap()).contains("::1".parse().unwrap()));
    }

    #[test]
    fn neighbors_become_one() {
        let texts = |ranges: &[&str]| -> Vec<String> {
            let merged = IpRange::merged(ranges.iter().map(|text| range(text)));
            merged.iter().map(ToString::to_string).collect()
        };
        let four = ["10.0.0.0/32", "10.0.0.3/32", "10.0.0.1/32", "10.0.0.2/32"];
        assert_eq!(texts(&four), ["10.0.0.0/30"]);
        assert_eq!(
            texts(&["10.0.0.1/32", "10.0.0.2/32"]),
            ["10.0.0.1/32", "10.0.0.2/32"]
        );
        assert_eq!(
            texts(&["10.0.0.7/32", "10.0.0.0/8", "10.0.0.0/16"]),
            ["10.0.0.0/8"]
        );
        assert_eq!(texts(&["::/1", "8000::/1", "0.0.0.0/0"]), ["0.0.0.0/0", "::/0"]);
    }

    proptest! {
        #[test]
        fn merged_ranges_hold_exactly_the_given_addresses(
            space in prop_oneof![Just(0u32), Just(0x6440_0000), Just(0xffff_ff80)],
            ranges in proptest::collection::vec((0u32..128, 26u8..=32), 0..12),
        ) {
            let ranges: Vec<_> = ranges
                .into_iter()
                .map(|(low, prefix)| IpRange::new(Ipv4Addr::from(space | low).into(), prefix).unwrap())
                .collect();
            let merged = IpRange::merged(ranges.clone());
            for low in 0..128u32 {
                let address: IpAddr = Ipv4Addr::from(space | low).into();
                let holders = merged.iter().filter(|range| range.contains(address)).count();
                let expected = ranges.iter().any(|range| range.contains(address));
                prop_assert_eq!(holders, usize::from(expected));
            }
            prop_assert!(merged.windows(2).all(|pair| IpRange::merged(pair.to_vec()) == pair));
        }

        #[test]
        fn ranges_overlap_when_they_share_an_address(a: u32, b: u32, pa in 0u8..=32, pb in 0u8..=32) {
            let a = IpRange::new(IpAddr::V4(a.into()), pa).unwrap();
            let b = IpRange::new(IpAddr::V4(b.into()), pb).unwrap();
            prop_assert_eq!(a.overlaps(&b), a.contains(b.first()) || b.contains(a.first()));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9a-f:./]{0,24}") {
            if let Ok(range) = text.parse::<IpRange>() {
                prop_assert_eq!(range.to_string().parse(), Ok(range));
            }
        }
    }
}
