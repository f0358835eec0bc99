//! The address of this device that each remote address last sent to. A device may have several addresses on one
//! interface, and a firewall on the path lets in only answers from the one that was sent to.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use flotilla_udp::Route;

/// Remote addresses that are remembered: more than a fleet has relays and devices, each with a few addresses. At the
/// limit all are forgotten, and are learned again from their next datagrams.
const MAX_REMEMBERED: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct SourceAddresses(BTreeMap<SocketAddr, IpAddr>);

impl SourceAddresses {
    pub(super) fn note(&mut self, route: Route) {
        let Some(local) = route.local.map(|local| local.to_canonical()) else {
            return;
        };
        // A link-local address belongs to an interface; the system chooses the right one by itself.
        if matches!(local, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
            return;
        }
        let remote = canonical(route.remote);
        if self.0.get(&remote) == Some(&local) {
            return;
        }
        if self.0.len() >= MAX_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(remote, local);
    }

    pub(super) fn lookup(&self, remote: SocketAddr) -> Option<IpAddr> {
        self.0.get(&canonical(remote)).copied()
    }

    pub(super) fn forget(&mut self, remote: SocketAddr) {
        self.0.remove(&canonical(remote));
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(remote: &str, local: &str) -> Route {
        Route {
            remote: remote.parse().unwrap(),
            local: Some(local.parse().unwrap()),
        }
    }

    #[test]
    fn the_address_that_was_asked_last_answers_whichever_way_it_is_written() {
        let mut sources = SourceAddresses::default();
        sources.note(route("[::ffff:10.77.0.12]:7000", "::ffff:10.77.0.111"));
        let remote = "10.77.0.12:7000".parse().unwrap();
        assert_eq!(sources.lookup(remote), Some("10.77.0.111".parse().unwrap()));
        assert_eq!(sources.lookup("10.77.0.12:7001".parse().unwrap()), None);
        sources.note(route("10.77.0.12:7000", "10.77.0.11"));
        assert_eq!(sources.lookup(remote), Some("10.77.0.11".parse().unwrap()));
        sources.forget(remote);
        assert_eq!(sources.lookup(remote), None);
    }

    #[test]
    fn addresses_of_one_link_are_left_to_the_system_and_others_are_bounded() {
        let mut sources = SourceAddresses::default();
        sources.note(route("[fe80::2]:7000", "fe80::1"));
        assert_eq!(sources.0.len(), 0);
        for number in 0..100_000u32 {
            let remote = SocketAddr::from((number.to_be_bytes(), 7000));
            sources.note(Route {
                remote,
                local: Some([10, 0, 0, 1].into()),
            });
        }
        assert!(sources.0.len() <= MAX_REMEMBERED);
    }
}
