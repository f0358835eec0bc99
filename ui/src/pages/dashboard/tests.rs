//! A device for tests.

use flotilla_protocol::{
    Timestamp,
    device::{ContainerCounts, Device, DeviceStatus, Facts, LinkFacts, NetworkMode, RelayPreference, Usage},
};

/// A device with four cores and reported usage, with this status.
pub(crate) fn device(name: &str, status: DeviceStatus) -> Device {
    Device {
        id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        name: name.parse().unwrap(),
        status,
        cordoned: false,
        draining: false,
        attention: Vec::new(),
        mesh_ip: [100, 64, 0, 7].into(),
        mode: NetworkMode::Host,
        relay: RelayPreference::Auto,
        tags: Vec::new(),
        this_computer: false,
        agent_version: None,
        last_seen: None,
        as_of: Timestamp::UNIX_EPOCH,
        created: Timestamp::UNIX_EPOCH,
        token_expires: None,
        enrolled: None,
        certificate: None,
        facts: Some(Facts {
            cpus: 4,
            ..Facts::default()
        }),
        usage: Some(Usage {
            cpu_cores: 1.5,
            ..Usage::default()
        }),
        engine: None,
        containers: ContainerCounts::default(),
        link: LinkFacts::default(),
        mesh: None,
        is_relay: false,
        host_kept: false,
        vouched: false,
        endpoint_trials: Vec::new(),
    }
}
