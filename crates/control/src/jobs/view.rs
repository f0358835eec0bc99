//! Jobs as people read them.

use flotilla_fleet::jobs::{JobRecord, Work};
use flotilla_protocol::{
    Timestamp,
    api::{ContainerOutcome, Job},
    job::JobState,
};

/// A job without its lines and outcomes, as lists and the live stream have it.
pub(super) fn of(record: &JobRecord, is_cancelable: bool, as_of: Timestamp) -> Job {
    let devices = record.work.devices();
    let only = match &devices[..] {
        [(id, name)] => Some((*id, (*name).clone())),
        _ => None,
    };
    let (device_id, device) = only.unzip();
    Job {
        id: record.id,
        kind: record.work.kind(),
        state: record.state,
        device,
        device_id,
        device_ids: devices.iter().map(|(id, _)| *id).collect(),
        title: record.work.title(),
        caller: record.caller.clone(),
        began: record.began,
        ended: record.ended,
        step: record.step.clone(),
        problem: record.problem.clone(),
        cancelable: is_cancelable && !record.state.is_over(),
        lines: Vec::new(),
        outcomes: Vec::new(),
        as_of,
    }
}

/// A job with its lines and outcomes.
pub(super) fn whole(record: &JobRecord, is_cancelable: bool, as_of: Timestamp) -> Job {
    Job {
        lines: record.lines.clone(),
        outcomes: outcomes(record),
        ..of(record, is_cancelable, as_of)
    }
}

fn outcomes(record: &JobRecord) -> Vec<ContainerOutcome> {
    let Work::Bulk { containers, .. } = &record.work else {
        return Vec::new();
    };
    let each = containers.iter().zip(&record.acts).map(|(target, kept)| {
        let outcome = kept.outcome.as_ref();
        ContainerOutcome {
            device: target.device_name.clone(),
            device_id: target.device,
            container: target.container.clone(),
            name: target.label().to_owned(),
            state: outcome.map_or(JobState::Waiting, |outcome| outcome.state),
            problem: outcome.and_then(|outcome| outcome.problem.clone()),
        }
    });
    each.collect()
}
