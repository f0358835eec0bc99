//! What an address tells about the way to it.

use flotilla_protocol::{cidr::IpRange, path::PathReason};
use std::net::{IpAddr, SocketAddr};

/// How good a direct way is; smaller is better. Within a class the round trip decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// In a network that this device is in.
    Lan,
    Ipv6,
    /// Behind a NAT, or in another private network, which a local router or a VPN may lead to.
    Far,
}

impl Class {
    /// `near` are the networks that this device is in.
    pub(crate) fn of(remote: IpAddr, near: &[IpRange]) -> Self {
        if near.iter().any(|network| network.contains(remote)) {
            return Self::Lan;
        }
        match remote {
            IpAddr::V6(v6) if !v6.is_unique_local() => Self::Ipv6,
            _ => Self::Far,
        }
    }

    pub(crate) fn reason(self, remote: IpAddr) -> PathReason {
        match (self, remote) {
            (Self::Lan, _) => PathReason::DirectLan,
            (Self::Ipv6, _) => PathReason::DirectIpv6,
            (Self::Far, IpAddr::V4(v4)) if !v4.is_private() => PathReason::DirectNat,
            (Self::Far, _) => PathReason::DirectRouted,
        }
    }
}

/// The canonical form of an address: IPv4 is never written as IPv6.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether a peer may be looked for at this address: it must be a unicast address outside of the mesh, because the
/// mesh's own would send the tunnel through itself. The broadcast address of a network cannot be recognized without
/// its prefix; the system sends nothing there.
pub(crate) fn is_probable(address: SocketAddr, mesh: Option<IpRange>) -> bool {
    let address = canonical(address);
    let somewhere = match address.ip() {
        // Not "this network", loopback, multicast, reserved or broadcast addresses (RFC 6890).
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            first != 0 && !v4.is_loopback() && first < 224
        }
        // Global or unique local addresses (RFC 4291 §2.4, RFC 4193). A link-local address means nothing without its
        // interface.
        IpAddr::V6(v6) => {
            let [first, ..] = v6.segments();
            first & 0xe000 == 0x2000 || v6.is_unique_local()
        }
    };
    address.port() != 0 && somewhere && !mesh.is_some_and(|mesh| mesh.contains(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_ones_own_networks_are_better_than_all_others() {
        let near = ["192.168.1.0/24", "2001:db8:1:2::/64"].map(|text| text.parse().unwrap());
        for (address, class, reason) in [
            ("192.168.1.7", Class::Lan, PathReason::DirectLan),
            ("2001:db8:1:2::7", Class::Lan, PathReason::DirectLan),
            ("2001:db8:1:3::7", Class::Ipv6, PathReason::DirectIpv6),
            ("198.51.100.7", Class::Far, PathReason::DirectNat),
            ("192.168.2.7", Class::Far, PathReason::DirectRouted),
            ("10.8.0.7", Class::Far, PathReason::DirectRouted),
            ("fd00::7", Class::Far, PathReason::DirectRouted),
        ] {
            let address = address.parse().unwrap();
            let found = Class::of(address, &near);
            assert_eq!((found, found.reason(address)), (class, reason), "{address}");
        }
        assert!(Class::Lan < Class::Ipv6 && Class::Ipv6 < Class::Far);
    }

    #[test]
    fn no_peer_is_looked_for_where_none_can_be() {
        let mesh = "100.64.0.0/16".parse().ok();
        let probable = |text: &str| is_probable(text.parse().unwrap(), mesh);
        for good in [
            "192.168.1.7:7",
            "100.65.3.4:7",
            "169.254.3.4:7",
            "223.255.255.254:7",
            "[::ffff:192.168.1.7]:7",
            "[2001:db8::7]:7",
            "[fd00::7]:7",
        ] {
            assert!(probable(good), "{good}");
        }
        for bad in [
            "0.0.0.0:7",
            "0.1.2.3:7",
            "127.0.0.1:7",
            "127.8.9.1:7",
            "224.0.0.1:7",
            "239.255.255.250:7",
            "240.0.0.1:7",
            "255.255.255.255:7",
            "192.168.1.7:0",
            "100.64.3.4:7",
            "[::ffff:127.0.0.1]:7",
            "[::ffff:0.0.0.0]:7",
            "[::ffff:224.0.0.1]:7",
            "[::ffff:100.64.3.4]:7",
            "[::]:7",
            "[::1]:7",
            "[::7f00:1]:7",
            "[fe80::1]:7",
            "[fec0::1]:7",
            "[ff02::1]:7",
            "[2001:db8::7]:0",
        ] {
            assert!(!probable(bad), "{bad}");
        }
    }
}
