//! A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3), of either family.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The text is not `ADDRESS/PREFIX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a range as ADDRESS/PREFIX, for example 192.168.1.0/24 or fd00::/8.")]
pub struct InvalidRange;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    first: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// Bits behind the prefix are cleared, as routing tables do.
    ///
    /// # Errors
    /// The prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, InvalidRange> {
        let first = match address {
            IpAddr::V4(v4) if prefix <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4((v4.to_bits() & mask).into())
            }
            IpAddr::V6(v6) if prefix <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
            _ => return Err(InvalidRange),
        };
        Ok(Self { first, prefix })
    }

    /// The range of one address.
    #[must_use]
    pub fn one(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self {
            first: address,
            prefix,
        }
    }

    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4()
            && Self::new(address, self.prefix).is_ok_and(|range| range.first == self.first)
    }

    /// Whether all of its addresses are private, so that no computer has one of them on the internet: those of private
    /// networks (RFC 1918, RFC 4193), and those between a provider and its customers (RFC 6598).
    #[must_use]
    pub fn is_private(&self) -> bool {
        const SPACES: [IpRange; 5] = [
            IpRange::v4([100, 64, 0, 0], 10),
            IpRange::v4([10, 0, 0, 0], 8),
            IpRange::v4([172, 16, 0, 0], 12),
            IpRange::v4([192, 168, 0, 0], 16),
            IpRange {
                first: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)),
                prefix: 7,
            },
        ];
        SPACES
            .iter()
            .any(|space| self.prefix >= space.prefix && space.contains(self.first))
    }

    /// Whether it is a default route or a piece of one. A VPN that takes all traffic may route it as two halves, or as
    /// several ranges that leave out private networks; each of these is larger than any one network.
    #[must_use]
    pub fn is_last_resort(&self) -> bool {
        self.prefix < if self.first.is_ipv4() { 8 } else { 4 }
    }

    const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self {
            first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }
}

impl FromStr for IpRange {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidRange)?;
        if !prefix.bytes().all(|c| c.is_ascii_digit()) {
            return Err(InvalidRange);
        }
        let address = address.parse().map_err(|_| InvalidRange)?;
        Self::new(address, prefix.parse().map_err(|_| InvalidRange)?)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl fmt::Debug for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for IpRange {
    type Error = InvalidRange;
    fn try_from(text: String) -> Result<Self, InvalidRange> {
        text.parse()
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> String {
        range.to_string()
    }
}

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
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "x/8"] {
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

    proptest! {
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
