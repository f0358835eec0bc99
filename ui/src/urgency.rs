//! The order by trouble, which badges, tables, tiles and Needs attention share: trouble first, then what is changing,
//! then what is well. What counts as trouble is defined in the protocol crate.

use flotilla_protocol::{
    device::{Device, DeviceStatus},
    inventory::{Container, ContainerState, Health, Trouble},
    path::PathKind,
};

/// The rank of a device; the lowest comes first.
#[must_use]
pub fn of_device(device: &Device) -> u8 {
    match device.status {
        DeviceStatus::Quarantined => 0,
        DeviceStatus::Online if device.needs_attention() => 1,
        DeviceStatus::Offline => 2,
        DeviceStatus::Reconnecting => 3,
        DeviceStatus::Pending => 4,
        DeviceStatus::Online | DeviceStatus::Unknown => 5,
        DeviceStatus::Revoked => 6,
    }
}

/// The rank of a container; the lowest comes first.
#[must_use]
pub fn of_container(container: &Container) -> u8 {
    match (container.trouble(), container.state) {
        (Some(Trouble::Unhealthy), _) => 0,
        (Some(Trouble::Restarting | Trouble::Dead), _) => 1,
        (Some(Trouble::OutOfMemory | Trouble::NotStarted | Trouble::Failed(_)), _) => 2,
        (None, _) => without_trouble(container),
    }
}

/// The rank of a container whose trouble is unknown, since its report is old.
#[must_use]
pub fn without_trouble(container: &Container) -> u8 {
    match container.state {
        ContainerState::Running if container.health == Health::Starting => 3,
        ContainerState::Running => 4,
        _ => 5,
    }
}

/// The rank of a kind of path; the worst comes first.
#[must_use]
pub fn of_path(kind: PathKind) -> u8 {
    match kind {
        PathKind::None => 0,
        PathKind::Relayed => 1,
        PathKind::Unknown => 2,
        PathKind::Direct => 3,
    }
}

/// How many containers are in trouble, counted on online devices only: the report of another device is out of date.
pub fn troubled<'a>(devices: impl Iterator<Item = &'a Device>) -> usize {
    devices
        .filter(|device| device.status == DeviceStatus::Online)
        .map(|device| device.containers.troubled as usize)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;

    #[test]
    fn a_device_with_a_container_in_trouble_stands_before_those_that_are_well() {
        let mut sick = device("sick", DeviceStatus::Online);
        sick.containers.troubled = 2;
        let mut away = device("away", DeviceStatus::Offline);
        away.containers.troubled = 3;
        let well = device("well", DeviceStatus::Online);
        assert!(of_device(&sick) < of_device(&away) && of_device(&away) < of_device(&well));
        assert_eq!(troubled([&sick, &away, &well].into_iter()), 2);
    }
}
