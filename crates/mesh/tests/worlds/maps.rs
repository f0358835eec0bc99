//! Control's part: the map of each device.

use crate::{
    device::{Device, address, id, key},
    relay::{PORT, Relay, SECOND_PORT},
    world::{World, relay_id},
};
use flotilla_protocol::{
    cidr::IpRange,
    endpoint::Endpoint,
    enroll::MeshAddress,
    mesh::{self, Allow, Filter, NetworkMap, RelayTicket},
    policy::Proto,
};
use std::net::IpAddr;

impl World {
    pub(crate) fn apply_map(&mut self, number: usize) {
        self.revision += 1;
        let map = self.map_for(number);
        let others = 0..self.devices.len();
        self.devices[number].admits = others
            .filter(|other| self.policy.contains(&(*other, number)))
            .collect();
        self.devices[number].mesh.apply(&map, self.now);
        self.drain(number);
    }

    fn map_for(&self, number: usize) -> NetworkMap {
        let knows = |other: &&Device| {
            self.policy.contains(&(number, other.number)) || self.policy.contains(&(other.number, number))
        };
        let peer = |device: &Device| mesh::Peer {
            id: id(device.number),
            name: format!("device-{}", device.number).parse().unwrap(),
            public_key: key(device.number),
            address: address(device.number),
            relay: device.preference,
            candidates: device.reachability.candidates.clone(),
            home_relay: device.reachability.home_relay,
            nat: device.reachability.nat,
            plain: false,
        };
        let relay = |(number, relay): (usize, &Relay)| mesh::Relay {
            id: relay_id(number),
            name: format!("relay-{number}"),
            public_key: relay.key(),
            endpoints: relay.addresses().map(|ip| Endpoint::from_ip(ip, PORT)).collect(),
            reflect_port: Some(SECOND_PORT),
        };
        let sources = self.policy.iter().filter(|(_, to)| *to == number);
        let sources: Vec<_> = sources
            .map(|(from, _)| IpRange::one(IpAddr::V4(address(*from))))
            .collect();
        NetworkMap {
            revision: self.revision,
            address: MeshAddress {
                address: address(number),
                prefix: 16,
            },
            relay: self.devices[number].preference,
            peers: self.devices.iter().filter(knows).map(peer).collect(),
            relays: self.relays.iter().enumerate().map(relay).collect(),
            filter: Filter {
                allows: vec![Allow {
                    sources,
                    proto: Proto::Any,
                    ports: vec![],
                }],
            },
            ticket: Some(RelayTicket(key(number).to_string())),
        }
    }
}
