//! Which addresses the mesh may have on this device, whatever control sends.
//!
//! What a map names is routed into the mesh. So it may only name private addresses, only those in the fleet's own
//! range, and each for one device with a key of its own.

use flotilla_protocol::{Code, Problem, enroll::MeshAddress, mesh::NetworkMap};
use std::{collections::BTreeSet, net::Ipv4Addr};

/// Why this device takes no such map or address. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedMap {
    #[error(
        "Control gives this device the mesh address {0}, and all of {0} would be taken from the internet. A mesh range lies inside 100.64.0.0/10, 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16: choose one in Flotilla under Settings."
    )]
    Public(String),
    #[error(
        "Control gives {peer} the mesh address {address}, which is outside of the fleet's range {range}."
    )]
    Outside {
        peer: String,
        address: Ipv4Addr,
        range: String,
    },
    #[error("Control gives {peer} the mesh address {address}, which another device has.")]
    Taken { peer: String, address: Ipv4Addr },
    #[error("Control gives {peer} a key that another device has.")]
    SameKey { peer: String },
}

impl From<RefusedMap> for Problem {
    fn from(reason: RefusedMap) -> Self {
        Code::InvalidInput
            .because(reason.to_string())
            .with_field("address")
    }
}

/// Whether this device may have an address in such a range.
pub(crate) fn check_place(place: MeshAddress) -> Result<(), RefusedMap> {
    let text = || format!("{}/{}", place.address, place.prefix);
    match place.range() {
        Some(range) if range.is_private() => Ok(()),
        _ => Err(RefusedMap::Public(text())),
    }
}

/// Whether every address that the map has routed is the fleet's own.
pub(crate) fn check_map(map: &NetworkMap) -> Result<(), RefusedMap> {
    check_place(map.address)?;
    let mut taken = BTreeSet::from([map.address.address]);
    let mut keys = BTreeSet::new();
    for peer in &map.peers {
        let (address, name) = (peer.address, || peer.name.to_string());
        let range = map.address.range();
        if !range.is_some_and(|range| range.contains(address.into())) {
            return Err(RefusedMap::Outside {
                peer: name(),
                address,
                range: range.map(|range| range.to_string()).unwrap_or_default(),
            });
        }
        if !taken.insert(address) {
            return Err(RefusedMap::Taken {
                peer: name(),
                address,
            });
        }
        if !keys.insert(peer.public_key) {
            return Err(RefusedMap::SameKey { peer: name() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::map;
    use proptest::prelude::*;

    fn place(text: &str) -> MeshAddress {
        let (address, prefix) = text.split_once('/').unwrap();
        MeshAddress {
            address: address.parse().unwrap(),
            prefix: prefix.parse().unwrap(),
        }
    }

    #[test]
    fn a_mesh_takes_nothing_from_the_internet() {
        for good in [
            "100.71.0.2/16",
            "100.64.0.1/10",
            "10.9.0.1/8",
            "172.31.255.1/24",
            "192.168.7.7/16",
        ] {
            assert_eq!(check_place(place(good)), Ok(()), "{good}");
        }
        for bad in [
            "8.8.8.8/24",
            "100.64.0.1/9",
            "100.128.0.1/16",
            "10.0.0.1/7",
            "172.32.0.1/16",
            "172.16.0.1/11",
            "192.168.0.1/15",
            "127.0.0.1/8",
            "169.254.1.1/16",
            "224.0.0.1/8",
            "100.71.0.2/0",
            "100.71.0.2/33",
            "100.71.0.2/255",
        ] {
            let refused = check_place(place(bad)).unwrap_err().to_string();
            assert!(
                refused.contains(bad) && refused.contains("100.64.0.0/10"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_peer_is_at_an_address_of_the_fleet_that_no_other_device_has() {
        let mut map = map(7);
        assert_eq!(check_map(&map), Ok(()));
        map.peers[0].address = [100, 72, 0, 3].into();
        let refused = check_map(&map).unwrap_err().to_string();
        assert!(
            refused.contains("nas") && refused.contains("100.71.0.0/16"),
            "{refused}"
        );
        map.peers[0].address = map.address.address;
        assert!(matches!(check_map(&map), Err(RefusedMap::Taken { .. })));
        map.peers[0].address = [100, 71, 0, 3].into();
        let mut twin = map.peers[0].clone();
        twin.address = [100, 71, 0, 4].into();
        map.peers.push(twin);
        assert!(matches!(check_map(&map), Err(RefusedMap::SameKey { .. })));
    }

    proptest! {
        #[test]
        fn of_a_map_that_is_taken_every_address_is_private(own: [u8; 4], prefix: u8, peer: [u8; 4]) {
            let mut map = map(7);
            map.address = MeshAddress { address: own.into(), prefix };
            map.peers[0].address = peer.into();
            if check_map(&map).is_ok() {
                let is_ours = |address: Ipv4Addr| {
                    let shared = matches!(address.octets(), [100, 64..=127, ..]);
                    shared || address.is_private()
                };
                prop_assert!(is_ours(map.address.address) && is_ours(map.peers[0].address));
            }
        }
    }
}
