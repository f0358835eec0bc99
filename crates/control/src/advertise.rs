//! The addresses at which devices reach control: those that the owner names, else those of this computer's interfaces.

mod interfaces;

pub(crate) use interfaces::local_networks;

use flotilla_protocol::{cidr::IpRange, endpoint::Endpoint};
use interfaces::Interface;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The addresses that devices are told, best first: those `given` at the start, those that people added, then, if none
/// was given, those of this computer's interfaces.
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

/// The addresses of this computer's interfaces: the default route's, then other IPv4, then global and other IPv6.
fn found(fleet: SocketAddr) -> Vec<Endpoint> {
    if !fleet.ip().is_unspecified() {
        return vec![Endpoint::from_ip(fleet.ip(), fleet.port())];
    }
    let order = order(&interfaces::list(), fleet.is_ipv6());
    order
        .into_iter()
        .map(|ip| Endpoint::from_ip(ip, fleet.port()))
        .collect()
}

fn order(interfaces: &[Interface], with_ipv6: bool) -> Vec<IpAddr> {
    let useful = |one: &&Interface| one.reach.offers(one.ip) && (with_ipv6 || one.ip.is_ipv4());
    let mut found: Vec<_> = interfaces.iter().filter(useful).collect();
    let is_inner_v6 = |ip| matches!(ip, IpAddr::V6(v6) if !is_global(v6));
    found.sort_by_key(|one| (one.ip.is_ipv6(), !one.is_default, is_inner_v6(one.ip)));
    let mut addresses: Vec<_> = found.into_iter().map(|one| one.ip).collect();
    addresses.dedup();
    addresses
}

/// Whether a device outside the local network can use the address. A name is believed to be public unless its
/// ending says otherwise.
pub(crate) fn is_outside(endpoint: &Endpoint) -> bool {
    match endpoint.ip() {
        Some(IpAddr::V4(ip)) => {
            let is_private = IpRange::one(ip.into()).is_private();
            !(is_private || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
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

/// Whether the host is a multicast DNS name (RFC 6762 §3): systems resolve it by asking their network, and most name
/// servers do not know it. An agent in a container asks name servers only.
pub(crate) fn is_mdns_name(endpoint: &Endpoint) -> bool {
    endpoint.host().trim_end_matches('.').ends_with(".local")
}

/// Whether the address means each computer itself, or no computer: a device could not find control there.
pub(crate) fn is_useless(endpoint: &Endpoint) -> bool {
    let of_this_computer = endpoint.host() == "localhost" || endpoint.host().ends_with(".localhost");
    of_this_computer
        || endpoint
            .ip()
            .is_some_and(|ip| ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
}

/// Whether the address is inside 2000::/3, from which global addresses are given out (RFC 4291 §2.4).
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
    fn the_default_route_comes_first_and_networks_that_no_other_computer_is_in_never() {
        use flotilla_protocol::interface::Reach;
        let interfaces = [
            (Reach::Network, false, "127.0.0.1"),
            (Reach::Computer, false, "172.17.0.1"),
            (Reach::Tunnel, true, "10.200.0.2"),
            (Reach::Tunnel, false, "198.51.100.7"),
            (Reach::Network, false, "10.0.0.5"),
            (Reach::Network, true, "fd77::10"),
            (Reach::Network, true, "192.168.1.10"),
            (Reach::Network, true, "fe80::1"),
            (Reach::Network, true, "2001:db8::10"),
        ]
        .map(|(reach, is_default, ip)| Interface {
            ip: ip.parse().unwrap(),
            reach,
            is_default,
        });
        let v4 = ["192.168.1.10", "198.51.100.7", "10.0.0.5"];
        assert_eq!(order(&interfaces, false), ips(&v4));
        let both = [&v4[..], &["2001:db8::10", "fd77::10"]].concat();
        assert_eq!(order(&interfaces, true), ips(&both));
        let only_v6 = interfaces.iter().filter(|one| one.ip.is_ipv6()).copied();
        let only_v6: Vec<_> = only_v6.collect();
        assert_eq!(order(&only_v6, true), ips(&["2001:db8::10", "fd77::10"]));
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
