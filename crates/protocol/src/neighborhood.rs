//! Which network addresses count as one source, wherever sources are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The address itself for IPv4, also when it is written as IPv6. For IPv6 the first address of its /64, because a
/// computer that has one address of a /64 can use all of them.
pub fn neighborhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let of = |text: &str| neighborhood(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::");
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    }
}
