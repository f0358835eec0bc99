//! By which of our addresses each of the others reaches us. A device may have several on one interface, and a
//! firewall on the way lets in only answers from the one that was asked.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use flotilla_udp::Route;

/// Others that are remembered: more than a fleet has relays and devices, each with a few addresses. When there are
/// more, all are forgotten, and known again by their next datagram.
const MOST: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<SocketAddr, IpAddr>);

impl Asked {
    pub(super) fn note(&mut self, route: Route) {
        let Some(local) = route.local.map(|local| local.to_canonical()) else {
            return;
        };
        // Such an address is one of ours only together with an interface, and the system knows which.
        if matches!(local, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
            return;
        }
        let remote = canonical(route.remote);
        if self.0.get(&remote) == Some(&local) {
            return;
        }
        if self.0.len() >= MOST {
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
        let mut asked = Asked::default();
        asked.note(route("[::ffff:10.77.0.12]:7000", "::ffff:10.77.0.111"));
        let remote = "10.77.0.12:7000".parse().unwrap();
        assert_eq!(asked.lookup(remote), Some("10.77.0.111".parse().unwrap()));
        assert_eq!(asked.lookup("10.77.0.12:7001".parse().unwrap()), None);
        asked.note(route("10.77.0.12:7000", "10.77.0.11"));
        assert_eq!(asked.lookup(remote), Some("10.77.0.11".parse().unwrap()));
        asked.forget(remote);
        assert_eq!(asked.lookup(remote), None);
    }

    #[test]
    fn addresses_of_one_link_are_left_to_the_system_and_others_are_bounded() {
        let mut asked = Asked::default();
        asked.note(route("[fe80::2]:7000", "fe80::1"));
        assert_eq!(asked.0.len(), 0);
        for number in 0..100_000u32 {
            let remote = SocketAddr::from((number.to_be_bytes(), 7000));
            asked.note(Route {
                remote,
                local: Some([10, 0, 0, 1].into()),
            });
        }
        assert!(asked.0.len() <= MOST);
    }
}
