//! The fewest ranges that hold exactly the given addresses.

use flotilla_protocol::cidr::IpRange;

/// Ranges inside others are dropped, and neighbors that form a larger range are replaced by it. Sorted.
pub(crate) fn merged(ranges: impl IntoIterator<Item = IpRange>) -> Vec<IpRange> {
    let mut sorted: Vec<_> = ranges.into_iter().collect();
    sorted.sort_unstable(); // by first address, and there the largest first
    let mut merged: Vec<IpRange> = Vec::new();
    for range in sorted {
        if merged.last().is_some_and(|last| last.contains(range.first())) {
            continue;
        }
        merged.push(range);
        while let [.., left, right] = merged[..]
            && let Some(both) = joined(left, right)
        {
            merged.truncate(merged.len() - 2);
            merged.push(both);
        }
    }
    merged
}

/// The range that consists of exactly these two halves, if there is one.
fn joined(left: IpRange, right: IpRange) -> Option<IpRange> {
    let both = IpRange::new(left.first(), left.prefix().checked_sub(1)?).ok()?;
    (left.prefix() == right.prefix() && both.first() == left.first() && both.contains(right.first()))
        .then_some(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn texts(ranges: &[&str]) -> Vec<String> {
        let ranges = ranges.iter().map(|text| text.parse().unwrap());
        merged(ranges).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn neighbors_become_one() {
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
        fn exactly_the_given_addresses_are_held(
            ranges in proptest::collection::vec((0u32..32, 26u8..=32), 0..12),
        ) {
            let ranges: Vec<_> = ranges
                .into_iter()
                .map(|(low, prefix)| IpRange::new(Ipv4Addr::from(0x6440_0000 | low).into(), prefix).unwrap())
                .collect();
            let merged = merged(ranges.clone());
            for low in 0..128u32 {
                let address: IpAddr = Ipv4Addr::from(0x6440_0000 | low).into();
                let holders = merged.iter().filter(|range| range.contains(address)).count();
                let expected = ranges.iter().any(|range| range.contains(address));
                prop_assert_eq!(holders, usize::from(expected));
            }
            prop_assert!(merged.windows(2).all(|pair| joined(pair[0], pair[1]).is_none()));
        }
    }
}
