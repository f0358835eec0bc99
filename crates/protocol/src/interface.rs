//! Which of a computer's network interfaces lead to other computers, and what its networks are to the mesh: one rule
//! for the addresses that devices offer each other and for those that control offers to devices.

use crate::cidr::IpRange;
use std::net::{IpAddr, Ipv4Addr};

/// How names of interfaces begin that lead to containers, to virtual machines, or to the mesh itself.
const INNER_PREFIXES: [&str; 21] = [
    "br-",
    "cali",
    "cilium",
    "cni",
    "docker",
    "flannel",
    "flotilla",
    "incusbr",
    "kube",
    "lxc",
    "lxdbr",
    "nodelocaldns",
    "podman",
    "vEthernet",
    "vboxnet",
    "veth",
    "virbr",
    "vmnet",
    "vnet",
    "vxlan",
    "weave",
];

/// How names of interfaces begin that lead to private networks over other networks.
const TUNNEL_PREFIXES: [&str; 15] = [
    "Tailscale",
    "gre",
    "ipsec",
    "mullvad",
    "nebula",
    "nordlynx",
    "ppp",
    "proton",
    "tailscale",
    "tap",
    "tun",
    "utun",
    "vpn",
    "wg",
    "zt",
];

/// What the system says about an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bridge; `leads_out` when one of its ports, or the default route, leads out of the computer.
    Bridge { leads_out: bool },
    /// An interface with one other end, or a network over another one; also an interface that takes all traffic by
    /// routes that are pieces of a default route.
    Tunnel,
    /// Anything else: the interface's name decides.
    Other,
}

/// Which computers find this one at the addresses of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All computers of the network.
    Network,
    /// The other ends of the tunnel; at a public address all computers.
    Tunnel,
    /// Only the computer itself.
    Computer,
}

impl Reach {
    pub fn of(name: &str, kind: Kind) -> Self {
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        match kind {
            // The mesh's own interface is a tunnel.
            _ if name.starts_with("flotilla") => Self::Computer,
            Kind::Bridge { leads_out: true } => Self::Network,
            Kind::Bridge { leads_out: false } => Self::Computer,
            Kind::Tunnel => Self::Tunnel,
            Kind::Other if is(&INNER_PREFIXES) => Self::Computer,
            Kind::Other if is(&TUNNEL_PREFIXES) => Self::Tunnel,
            Kind::Other => Self::Network,
        }
    }

    /// Whether this address of such an interface is worth telling to another computer: that computer may reach it.
    #[must_use]
    pub fn offers(self, address: IpAddr) -> bool {
        match (self, address) {
            (_, address) if address.is_loopback() || address.is_unspecified() || address.is_multicast() => {
                false
            }
            (_, IpAddr::V4(v4)) if v4.is_link_local() => false,
            (_, IpAddr::V6(v6)) if v6.is_unicast_link_local() => false,
            (Self::Network, _) => true,
            (Self::Tunnel, address) => is_public(address),
            (Self::Computer, _) => false,
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !IpRange::one(address).is_private(),
        // 2000::/3 is where global addresses are given out (RFC 4291 §2.4).
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}

/// The name servers of a `resolv.conf(5)` that are other computers, which loopback addresses are not.
pub fn name_servers(resolv_conf: &str) -> Vec<Ipv4Addr> {
    let lines = resolv_conf.lines().map(str::split_whitespace);
    let servers = lines.filter_map(|mut words| {
        let is_server = words.next() == Some("nameserver");
        words.next().filter(|_| is_server)?.parse().ok()
    });
    servers
        .filter(|server: &Ipv4Addr| !server.is_loopback())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_that_lead_to_no_other_computer_offer_nothing() {
        let bridge = |leads_out| Kind::Bridge { leads_out };
        for (name, kind, reach) in [
            ("eth0", Kind::Other, Reach::Network),
            ("wlan0", Kind::Other, Reach::Network),
            ("enp3s0", Kind::Other, Reach::Network),
            ("bond0.7", Kind::Other, Reach::Network),
            ("vmbr0", bridge(true), Reach::Network),
            ("br-lan", bridge(true), Reach::Network),
            ("mybridge", bridge(false), Reach::Computer),
            ("br-1a2b", Kind::Other, Reach::Computer),
            ("podman1", bridge(false), Reach::Computer),
            ("podman1", Kind::Other, Reach::Computer),
            ("lxdbr0", Kind::Other, Reach::Computer),
            ("incusbr0", Kind::Other, Reach::Computer),
            ("cni0", Kind::Other, Reach::Computer),
            ("flannel.1", Kind::Other, Reach::Computer),
            ("cali123", Kind::Other, Reach::Computer),
            ("cilium_host", Kind::Other, Reach::Computer),
            ("virbr1", Kind::Other, Reach::Computer),
            ("flotilla0", Kind::Tunnel, Reach::Computer),
            ("office", Kind::Tunnel, Reach::Tunnel),
            ("wg0", Kind::Other, Reach::Tunnel),
            ("tailscale0", Kind::Other, Reach::Tunnel),
            ("zt0", Kind::Other, Reach::Tunnel),
            ("ppp0", Kind::Other, Reach::Tunnel),
        ] {
            assert_eq!(Reach::of(name, kind), reach, "{name} {kind:?}");
        }
    }

    #[test]
    fn a_tunnel_offers_only_public_addresses() {
        for (address, network, tunnel) in [
            ("192.168.1.7", true, false),
            ("100.64.0.7", true, false),
            ("198.51.100.7", true, true),
            ("fd00::7", true, false),
            ("2001:db8::7", true, true),
            ("169.254.1.1", false, false),
            ("127.0.0.1", false, false),
            ("0.0.0.0", false, false),
            ("224.0.0.1", false, false),
            ("fe80::1", false, false),
            ("::1", false, false),
            ("ff02::1", false, false),
        ] {
            let address = address.parse().unwrap();
            let offers = [Reach::Network, Reach::Tunnel, Reach::Computer].map(|reach| reach.offers(address));
            assert_eq!(offers, [network, tunnel, false], "{address}");
        }
    }

    #[test]
    fn name_servers_are_told_from_the_rest_of_the_file() {
        let text = "# by hand\nsearch example.org\nnameserver 100.100.2.136\nnameserver\t127.0.0.53\n\
                    nameserver ::1\nnameserver\noptions edns0\n nameserver 192.0.2.1 # second\n";
        let expected = [[100, 100, 2, 136], [192, 0, 2, 1]].map(Ipv4Addr::from);
        assert_eq!(name_servers(text), expected);
    }
}
