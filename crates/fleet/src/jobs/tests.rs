//! Jobs at each of their steps, and a simulation of everything that may end.

mod agents;
mod room;
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

/// A job's work, and what it acts on.
type Draft = (Work, Vec<Target>);

fn target(device: usize, container: &str) -> Target {
    Target {
        container: Some(container.into()),
        name: Some(container.into()),
        ..agent(device)
    }
}

fn agent(device: usize) -> Target {
    Target::agent(device_id(device), device_name(device))
}

fn placement(device: usize, container: &str, member: bool) -> Draft {
    (Work::Placement { member }, vec![target(device, container)])
}

fn mode_change(device: usize) -> Draft {
    let mode = NetworkMode::Bridge;
    (Work::ModeChange { mode }, vec![agent(device)])
}

fn push(device: usize) -> Draft {
    let work = Work::Push {
        host: "garage".into(),
        as_root: false,
        skip_docker: false,
    };
    (work, vec![agent(device)])
}

fn bulk(containers: Vec<Target>) -> Draft {
    let action = ContainerAction::Restart;
    (Work::Bulk { action }, containers)
}
