//! Jobs that a device lists when its link begins. Each is one of three: over here, so the device may forget it; written
//! off here after its device was away for too long, so it is taken up again; or unknown here, as after control was
//! restored from an older backup, so a record is made of it.

use super::{begin::adopt, calls::ANSWER};
use crate::{core::Core, report::SENTENCE_CHARS};
use flotilla_fleet::jobs::{JobRecord, Origin, Target, Work};
use flotilla_link::{AgentLink, CallError};
use flotilla_protocol::{
    Code,
    activity::Actor,
    id::DeviceId,
    job::{JOBS_PATH, JobReport, JobRequest},
    name::DeviceName,
    text::shown,
};
use serde::de::IgnoredAny;

/// Jobs of a device that are looked at: more than any agent keeps.
const MOST_JOBS: usize = 100;

/// Asks a device whose link has begun for its jobs.
pub(super) async fn collect(core: &Core, (device, number): (DeviceId, u64)) {
    let Some(link) = core.links.lookup(device) else {
        return;
    };
    let mut reports = match link.get::<Vec<JobReport>>(JOBS_PATH, ANSWER).await {
        Ok(reports) => reports,
        Err(error) => {
            // An agent of a version without jobs has none.
            if !matches!(&error, CallError::Refused(problem) if problem.code == Code::NotFound) {
                tracing::warn!(device.id = %device, %error, "a device does not say which jobs it has");
            }
            Vec::new()
        }
    };
    reports.truncate(MOST_JOBS);
    let listed: Vec<_> = reports.iter().map(|report| report.id).collect();
    if !core.jobs.handle_listed((device, number), &listed, core.moment()) {
        return;
    }
    for report in reports {
        if !core.jobs.read(|jobs| jobs.has_act(report.id)) {
            handle_unknown(core, (device, &link), report).await;
        }
    }
}

async fn handle_unknown(core: &Core, (device, link): (DeviceId, &AgentLink), report: JobReport) {
    match core.store.lookup_job_of(report.id).await {
        Ok(Some(record)) => handle_known(core, (device, link), record, &report).await,
        Ok(None) => take_over(core, (device, link), report).await,
        Err(error) => tracing::error!(%error, "a device's job can't be looked up"),
    }
}

/// A job that is over here: its device may forget it, or tells at last what became of it.
async fn handle_known(
    core: &Core,
    (device, link): (DeviceId, &AgentLink),
    mut record: JobRecord,
    report: &JobReport,
) {
    let act = record.acts.iter().position(|act| act.id == report.id);
    // A device can't speak for another device's act by its id.
    let Some(nth) = act.filter(|nth| record.acts[*nth].target.device == device) else {
        return;
    };
    if record.reopen(report.id) {
        if !takes_claim(core, device) {
            return;
        }
        let saved = core
            .store
            .save_job(&record, &[nth], Vec::new(), core.clock.now())
            .await;
        match saved {
            Ok(_) => drop(adopt(core, record, Origin::Listed)),
            Err(error) => tracing::error!(%error, "a job can't be taken up again"),
        }
    } else if report.state.is_over() {
        forget(link, report).await;
    }
}

/// Makes a job of one that control has no record of.
async fn take_over(core: &Core, (device, link): (DeviceId, &AgentLink), report: JobReport) {
    let name = core.cache.read(device, |entry| entry.row.name.clone());
    let Some(name) = name else { return };
    let caller = Actor::Device {
        name: name.to_string(),
    };
    let Some(work) = work(device, name, &report.request) else {
        if report.state.is_over() {
            forget(link, &report).await;
        }
        return;
    };
    let record = JobRecord::draft(report.id, work, caller, core.clock.now(), || report.id);
    let is_crowd = core.jobs.read(|jobs| jobs.find_crowd(&record)).is_some();
    if is_crowd || !takes_claim(core, device) {
        return;
    }
    match core.store.create_job(&record).await {
        Ok(()) => drop(adopt(core, record, Origin::Listed)),
        Err(error) => tracing::error!(%error, "a device's job can't be written down"),
    }
}

/// Whether one more job is taken over from a device. One that is not is listed again over a later link.
fn takes_claim(core: &Core, device: DeviceId) -> bool {
    let is_taken = core.cache.lock().takes_claim(device, core.clock.now());
    if !is_taken {
        tracing::debug!(device.id = %device, "a device has too many jobs of which control does not know");
    }
    is_taken
}

/// The work of a job as its device tells it; `None` for what this control does not know.
pub(super) fn work(
    device: DeviceId,
    device_name: DeviceName,
    request: &JobRequest,
) -> Option<(Work, Vec<Target>)> {
    let (work, container) = match request {
        JobRequest::Placement { container, member } => (Work::Placement { member: *member }, Some(container)),
        JobRequest::Action { container, action } => (Work::Bulk { action: *action }, Some(container)),
        JobRequest::Recreation { container } => (Work::Recreation, Some(container)),
        JobRequest::Removal { container, volumes } => (Work::Removal { volumes: *volumes }, Some(container)),
        JobRequest::ModeChange { mode } => (Work::ModeChange { mode: *mode }, None),
        JobRequest::Unknown => return None,
    };
    let target = Target {
        container: container.map(|container| shown(container, SENTENCE_CHARS)),
        ..Target::agent(device, device_name)
    };
    Some((work, vec![target]))
}

async fn forget(link: &AgentLink, report: &JobReport) {
    let path = format!("{JOBS_PATH}/{}?only=forget", report.id);
    // A device that does not is told again on its next link.
    drop(link.delete::<IgnoredAny>(&path, ANSWER).await);
}
