//! Jobs at each of their steps, and a simulation of everything that may end.

mod agents;
mod steps;
mod world;
mod worlds;

use super::*;
use flotilla_protocol::{
    Timestamp,
    activity::Actor,
    device::NetworkMode,
    inventory::ContainerAction,
    job::{JobRequest, JobState},
};
use std::time::Duration;

fn id(n: u128) -> JobId {
    JobId(uuid::Uuid::from_u128(n))
}

fn device_id(n: usize) -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(1_000_000 + n as u128))
}

fn clock(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn device_name(n: usize) -> flotilla_protocol::name::DeviceName {
    format!("d{n}").parse().unwrap()
}

fn target(device: usize, container: &str) -> Target {
    Target {
        device: device_id(device),
        device_name: device_name(device),
        container: container.into(),
        name: Some(container.into()),
    }
}

fn placement(device: usize, container: &str, member: bool) -> Work {
    Work::Placement {
        container: target(device, container),
        member,
    }
}

fn mode_change(device: usize) -> Work {
    Work::ModeChange {
        device: device_id(device),
        device_name: device_name(device),
        mode: NetworkMode::Bridge,
    }
}

fn push(device: usize) -> Work {
    Work::Push {
        device: device_id(device),
        device_name: device_name(device),
        host: "garage".into(),
        as_root: false,
        skip_docker: false,
    }
}

fn bulk(containers: Vec<Target>) -> Work {
    Work::Bulk {
        action: ContainerAction::Restart,
        containers,
    }
}
