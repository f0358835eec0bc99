//! At which addresses devices reach control: what the owner says, else what this computer's interfaces have.

use flotilla_protocol::endpoint::Endpoint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Interfaces whose addresses mean nothing to another machine: container networks, virtual machines, the mesh.
const INNER: [&str; 9] = [
    "docker",
    "veth",
    "br-",
    "flotilla0",
    "virbr",
    "cni",
    "podman",
    "vmnet",
    "vboxnet",
];

/// The addresses to tell devices, best first: those `given` at the start, those that people added, then, where none
/// was given, what is found.
pub(crate) fn endpoints(given: &[Endpoint], added: &[Endpoint], fleet: SocketAddr) -> Vec<Endpoint> {
    let found = if given.is_empty() {
        found(fleet)
    } else {
        Vec::new()
    };
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for endpoint in given.iter().chain(added).chain(&found) {
        if !endpoints.contains(endpoint) {
            endpoints.push(endpoint.clone());
        }
    }
    endpoints
}

/// What this computer's interfaces have: the default route's, then other IPv4, then global IPv6.
fn found(fleet: SocketAddr) -> Vec<Endpoint> {
    if !fleet.ip().is_unspecified() {
        return vec![Endpoint::from_ip(fleet.ip(), fleet.port())];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let found: Vec<_> = interfaces
        .iter()
        .map(|interface| (interface.name.as_str(), interface.ip()))
        .collect();
    let order = order(&found, default_route(), fleet.is_ipv6());
    order
        .into_iter()
        .map(|ip| Endpoint::from_ip(ip, fleet.port()))
        .collect()
}

fn order(interfaces: &[(&str, IpAddr)], default_route: Option<IpAddr>, with_ipv6: bool) -> Vec<IpAddr> {
    let useful = |(name, ip): &&(&str, IpAddr)| {
        let inner = INNER.iter().any(|prefix| name.starts_with(prefix));
        let kind = match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
            IpAddr::V6(ip) => with_ipv6 && is_global(*ip),
        };
        !inner && kind
    };
    let mut addresses: Vec<IpAddr> = interfaces.iter().filter(useful).map(|(_, ip)| *ip).collect();
    addresses.sort_by_key(|ip| (Some(*ip) != default_route, ip.is_ipv6()));
    addresses.dedup();
    addresses
}

/// The address that packets to far away leave from. A connected UDP socket sends nothing.
fn default_route() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether a device outside the local network can use the address. A name is believed to be public unless its
/// ending says otherwise.
pub(crate) fn is_outside(endpoint: &Endpoint) -> bool {
    match endpoint.ip() {
        Some(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let carrier = a == 100 && (64..128).contains(&b);
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || carrier)
        }
        Some(IpAddr::V6(ip)) => is_global(ip),
        None => {
            let ending = endpoint.host().rsplit_once('.').map(|(_, ending)| ending);
            !matches!(
                ending,
                None | Some("local" | "lan" | "home" | "internal" | "localdomain" | "arpa")
            )
        }
    }
}

/// Whether the address means each computer itself, or none: no device could find control there.
pub(crate) fn is_useless(endpoint: &Endpoint) -> bool {
    let of_this_computer = endpoint.host() == "localhost" || endpoint.host().ends_with(".localhost");
    of_this_computer
        || endpoint
            .ip()
            .is_some_and(|ip| ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
}

/// Inside 2000::/3, where global addresses are given out (RFC 4291 §2.4).
fn is_global(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_default_route_comes_first_and_inner_networks_never() {
        let interfaces: Vec<(&str, IpAddr)> = [
            ("lo", "127.0.0.1"),
            ("docker0", "172.17.0.1"),
            ("br-3f2a", "172.18.0.1"),
            ("veth12", "10.9.0.1"),
            ("flotilla0", "100.71.0.1"),
            ("wlan0", "10.0.0.5"),
            ("eth0", "192.168.1.10"),
            ("eth0", "fe80::1"),
            ("eth0", "2001:db8::10"),
        ]
        .map(|(name, ip)| (name, ip.parse().unwrap()))
        .to_vec();
        let route = Some("192.168.1.10".parse().unwrap());
        assert_eq!(
            order(&interfaces, route, false),
            ips(&["192.168.1.10", "10.0.0.5"])
        );
        assert_eq!(
            order(&interfaces, None, true),
            ips(&["10.0.0.5", "192.168.1.10", "2001:db8::10"])
        );
    }

    #[test]
    fn what_the_owner_says_wins_and_one_address_is_one_endpoint() {
        let given: Vec<Endpoint> = vec!["fleet.example.org".parse().unwrap()];
        assert_eq!(endpoints(&given, &[], "0.0.0.0:1".parse().unwrap()), given);
        let one = endpoints(&[], &[], "127.0.0.1:9000".parse().unwrap());
        assert_eq!(one, ["127.0.0.1:9000".parse().unwrap()]);
    }

    #[test]
    fn added_addresses_come_after_the_given_and_before_the_found_and_none_comes_twice() {
        let list =
            |texts: &[&str]| -> Vec<Endpoint> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let fleet = "192.0.2.1:9000".parse().unwrap();
        let added = list(&["fleet.example.org", "192.0.2.1:9000"]);
        assert_eq!(endpoints(&[], &added, fleet), added);
        let found = list(&["vpn.lan", "192.0.2.1:9000"]);
        assert_eq!(endpoints(&[], &list(&["vpn.lan"]), fleet), found);
        let given = list(&["nas.lan", "vpn.lan"]);
        assert_eq!(
            endpoints(&given, &list(&["vpn.lan", "fleet.example.org"]), fleet),
            list(&["nas.lan", "vpn.lan", "fleet.example.org"])
        );
    }

    #[test]
    fn outside_is_what_the_public_internet_can_reach() {
        for (text, outside) in [
            ("192.168.1.10", false),
            ("100.71.0.1", false),
            ("198.51.100.4", true),
            ("2001:db8::1", true),
            ("fd00::1", false),
            ("nas", false),
            ("nas.local", false),
            ("fleet.example.org", true),
        ] {
            assert_eq!(is_outside(&text.parse().unwrap()), outside, "{text}");
        }
    }
}
