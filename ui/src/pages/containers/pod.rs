//! A device's pod: containers that share one network and the device's mesh address.

use crate::store::Collection;
use flotilla_protocol::{
    api::Row,
    id::DeviceId,
    inventory::{Container, PodRole, Port, numbers},
};
use std::{net::Ipv4Addr, sync::Arc};

type Containers = Collection<Row<Container>>;

/// The containers of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// The pause container, which holds the network; absent while it is being recreated.
    pub pause: Option<Arc<Row<Container>>>,
    /// The other containers by name, the agent last.
    pub members: Vec<Arc<Row<Container>>>,
}

impl Pod {
    /// The pod of a device, if it has one.
    #[must_use]
    pub fn of(containers: &Containers, device: DeviceId) -> Option<Self> {
        let (pause, mut members): (Vec<_>, Vec<_>) = containers
            .of_device(device)
            .filter(|row| row.item.pod.is_some())
            .cloned()
            .partition(|row| row.item.pod == Some(PodRole::Pause));
        members.sort_by(|a, b| (a.item.is_agent, &a.item.name).cmp(&(b.item.is_agent, &b.item.name)));
        let pause = pause.into_iter().next();
        (pause.is_some() || !members.is_empty()).then_some(Self { pause, members })
    }
}

/// The address of a port, or of a range of ports, of a container in a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    pub ip: Ipv4Addr,
    pub port: u16,
    /// The last port of a range that begins with `port`; `port` itself for a single one.
    pub last: u16,
    pub protocol: String,
}

impl Address {
    /// The address without its protocol: `100.64.0.7:80`, `100.64.0.7:20000-20999`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.ip, numbers(&(self.port..=self.last)))
    }

    /// The address, with its protocol unless that is TCP: `100.64.0.7:53/udp`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.protocol.as_str() {
            "tcp" => self.place(),
            other => format!("{}/{other}", self.place()),
        }
    }
}

/// The addresses of a container in a pod with this mesh address: its own ports, each once.
#[must_use]
pub fn addresses(ip: Ipv4Addr, container: &Container) -> Vec<Address> {
    let address = |port: &Port| Address {
        ip,
        port: port.private,
        last: *port.inside().end(),
        protocol: port.protocol.clone(),
    };
    let mut addresses: Vec<_> = container.ports.iter().map(address).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::{Timestamp, api::List};

    fn row(device: u128, name: &str, pod: &str, is_agent: bool) -> Row<Container> {
        let json = format!(
            r#"{{"device":"d{device}","device_id":"00000000-0000-7000-8000-{device:012}","as_of":"2026-01-01T00:00:00Z",
            "item":{{"id":"{name}-id","name":"{name}","image":"i",
            "state":"running","status":"Running","health":"none","created":"2026-01-01T00:00:00Z",
            "is_agent":{is_agent},"ports":[{{"private":80,"protocol":"tcp"}},{{"private":53,"protocol":"udp"}},
            {{"private":80,"protocol":"tcp","public":8080,"address":"::"}}]{pod}}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn collection(rows: Vec<Row<Container>>) -> Containers {
        let mut collection = Containers::default();
        let ticket = collection.begin(Timestamp::UNIX_EPOCH);
        let list = List {
            items: rows,
            unreachable_devices: Vec::new(),
            seq: 0,
        };
        collection.take(ticket, Ok(list), Timestamp::UNIX_EPOCH);
        collection
    }

    const MEMBER: &str = r#","pod":"member""#;
    const PAUSE: &str = r#","pod":"pause""#;

    #[test]
    fn a_pod_is_the_pause_container_and_its_members_of_one_device() {
        let containers = collection(vec![
            row(1, "other", MEMBER, false),
            row(2, "agent", MEMBER, true),
            row(2, "web", MEMBER, false),
            row(2, "holder", PAUSE, false),
            row(2, "api", MEMBER, false),
            row(2, "outside", "", false),
            row(3, "plain", "", false),
        ]);
        let id = |device: u128| format!("00000000-0000-7000-8000-{device:012}").parse().unwrap();
        let pod = Pod::of(&containers, id(2)).unwrap();
        assert_eq!(pod.pause.unwrap().item.name, "holder");
        let names: Vec<_> = pod.members.iter().map(|row| row.item.name.as_str()).collect();
        assert_eq!(names, ["api", "web", "agent"]);
        assert_eq!(Pod::of(&containers, id(3)), None);
        assert_eq!(Pod::of(&containers, id(4)), None);
        assert_eq!(containers.of_device(id(2)).count(), 5);
    }

    #[test]
    fn a_member_is_reached_at_its_own_ports_whatever_is_published() {
        let container = row(1, "web", MEMBER, false).item;
        let words: Vec<_> = addresses([100, 64, 0, 7].into(), &container)
            .iter()
            .map(Address::words)
            .collect();
        assert_eq!(words, ["100.64.0.7:53/udp", "100.64.0.7:80"]);
    }
}
