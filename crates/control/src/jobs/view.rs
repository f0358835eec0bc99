//! Jobs as people read them.

use flotilla_fleet::jobs::{Act, JobRecord, LINES};
use flotilla_protocol::{
    Timestamp,
    api::{ContainerOutcome, Job, JobKind},
    job::JobState,
};

/// Lines that one piece of news has at most, so that it fits into a frame of a stream.
const NEWS: usize = 50;

/// A job without its lines and outcomes, as lists and the live stream have it.
pub(super) fn of(record: &JobRecord, is_cancelable: bool, as_of: Timestamp) -> Job {
    let devices = record.devices();
    let only = devices.first_key_value().filter(|_| devices.len() == 1);
    let (device_id, device) = only.map(|(id, name)| (*id, (*name).clone())).unzip();
    Job {
        id: record.id,
        kind: record.work.kind(),
        state: record.state,
        device,
        device_id,
        device_ids: devices.into_keys().collect(),
        title: record.title(),
        caller: record.caller.clone(),
        began: record.began,
        ended: record.ended,
        step: record.step.clone(),
        problem: record.problem.clone(),
        cancelable: is_cancelable && !record.state.is_over(),
        lines: Vec::new(),
        next_line: record.lines.next_number(),
        outcomes: Vec::new(),
        as_of,
    }
}

/// A job with its lines and outcomes.
pub(super) fn whole(record: &JobRecord, is_cancelable: bool, as_of: Timestamp) -> Job {
    Job {
        lines: record.lines.page(0, LINES),
        outcomes: outcomes(record),
        ..of(record, is_cancelable, as_of)
    }
}

/// A job with some of its lines: those from this number on.
pub(super) fn with_lines(record: &JobRecord, from: u32, is_cancelable: bool, as_of: Timestamp) -> Job {
    let from = record.lines.place(from);
    let lines = record.lines.page(from, NEWS);
    Job {
        next_line: from + u32::try_from(lines.len()).unwrap_or(0),
        lines,
        ..of(record, is_cancelable, as_of)
    }
}

fn outcomes(record: &JobRecord) -> Vec<ContainerOutcome> {
    if !matches!(record.work.kind(), JobKind::Bulk | JobKind::Removal) {
        return Vec::new();
    }
    let each = record
        .acts
        .iter()
        .map(|Act { target, outcome, .. }| ContainerOutcome {
            device: target.device_name.clone(),
            device_id: target.device,
            container: target.container.clone().unwrap_or_default(),
            name: target.label().to_owned(),
            state: outcome
                .as_ref()
                .map_or(JobState::Waiting, |outcome| outcome.state),
            problem: outcome.as_ref().and_then(|outcome| outcome.problem.clone()),
        });
    each.collect()
}
