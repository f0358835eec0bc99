//! What an address says about the way to it.

use flotilla_protocol::{cidr::IpRange, path::PathReason};
use std::net::{IpAddr, SocketAddr};

/// How good a direct way is; the smaller the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Lan,
    Ipv6,
    Nat,
}

impl Class {
    pub(crate) fn of(remote: IpAddr, own: &[SocketAddr]) -> Self {
        match remote {
            IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() || v4.is_loopback() => Self::Lan,
            IpAddr::V4(_) => Self::Nat,
            IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() => {
                Self::Lan
            }
            IpAddr::V6(_) => {
                let net = IpRange::new(remote, 64);
                let shared = net.is_ok_and(|net| own.iter().any(|own| net.contains(own.ip())));
                if shared { Self::Lan } else { Self::Ipv6 }
            }
        }
    }

    pub(crate) fn reason(self) -> PathReason {
        match self {
            Self::Lan => PathReason::DirectLan,
            Self::Ipv6 => PathReason::DirectIpv6,
            Self::Nat => PathReason::DirectNat,
        }
    }
}

/// The one way to write an address: IPv4 is never hidden in IPv6.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether a peer may be looked for there. An address of the mesh itself would send the tunnel through itself.
pub(crate) fn is_probable(address: SocketAddr, mesh: Option<IpRange>) -> bool {
    let ip = address.ip();
    let nowhere = match ip {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast() || v4.is_loopback(),
        // A link-local address means nothing without its interface.
        IpAddr::V6(v6) => {
            v6.is_unspecified() || v6.is_multicast() || v6.is_loopback() || v6.is_unicast_link_local()
        }
    };
    address.port() != 0 && !nowhere && !mesh.is_some_and(|mesh| mesh.contains(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_better_than_those_of_the_internet() {
        let own: [SocketAddr; 1] = ["[2001:db8:1:2::9]:7".parse().unwrap()];
        let class = |text: &str| Class::of(text.parse().unwrap(), &own);
        assert_eq!(class("192.168.1.7"), Class::Lan);
        assert_eq!(class("fd00::7"), Class::Lan);
        assert_eq!(class("2001:db8:1:2::7"), Class::Lan);
        assert_eq!(class("2001:db8:1:3::7"), Class::Ipv6);
        assert_eq!(class("198.51.100.7"), Class::Nat);
        assert!(Class::Lan < Class::Ipv6 && Class::Ipv6 < Class::Nat);
    }

    #[test]
    fn nobody_is_looked_for_where_nobody_can_be() {
        let mesh = "100.64.0.0/16".parse().ok();
        let probable = |text: &str| is_probable(text.parse().unwrap(), mesh);
        assert!(probable("192.168.1.7:7"));
        for bad in [
            "0.0.0.0:7",
            "224.0.0.1:7",
            "127.0.0.1:7",
            "192.168.1.7:0",
            "100.64.3.4:7",
            "[fe80::1]:7",
        ] {
            assert!(!probable(bad), "{bad}");
        }
    }
}
