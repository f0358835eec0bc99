//! The outcomes of jobs, and their entries in the activity log.

use crate::{
    cache::FollowedJob, change::devices::mode_label, core::Core, report::SENTENCE_CHARS, store::NewActivity,
};
use flotilla_protocol::{
    Problem,
    activity::{Action, Actor},
    job::{JobReport, JobRequest, JobState},
    text::shown,
};

/// The outcome of a job, for the requests that wait for it. The device's words are bounded.
pub(super) fn outcome(report: &JobReport) -> Result<(), Problem> {
    match (&report.state, &report.problem) {
        (JobState::Done, _) => Ok(()),
        (_, Some(problem)) => Err(flotilla_link::sanitize_device_problem(problem.clone())),
        (_, None) => Err(Problem::new(
            flotilla_protocol::Code::Internal,
            "The device did not say why it was not done. Update its agent.",
        )),
    }
}

/// Records a job that is over, with its last report if there is one.
pub(super) async fn record(
    core: &Core,
    job: &FollowedJob,
    report: Option<&JobReport>,
    outcome: &Result<(), Problem>,
) {
    let name = {
        let state = core.cache.lock();
        state.device(job.device).map(|entry| entry.row.name.to_string())
    };
    let Some(name) = name else { return };
    let is_underway = report.is_some_and(|report| report.underway);
    let action = match &job.request {
        JobRequest::Placement { .. } => Action::ContainerMoved,
        // A device that refused the order keeps its agent where it is, and its owner gets the steps to do by hand.
        JobRequest::ModeChange { .. } if is_underway || outcome.is_ok() => Action::DeviceUpdated,
        JobRequest::ModeChange { .. } | JobRequest::Unknown => return,
    };
    let target = report.and_then(|report| report.target.as_deref());
    let target = target.map(|target| shown(target, SENTENCE_CHARS));
    let entry = NewActivity {
        actor: job
            .actor
            .clone()
            .unwrap_or_else(|| Actor::Device { name: name.clone() }),
        action,
        target: job.target.clone().or(target),
        device: Some((job.device, name)),
        succeeded: outcome.is_ok(),
        details: details(&job.request, report, outcome),
    };
    core.record(entry).await;
}

fn details(request: &JobRequest, report: Option<&JobReport>, outcome: &Result<(), Problem>) -> String {
    let what = match (outcome, request) {
        (Err(problem), _) => problem.message.clone(),
        (Ok(()), JobRequest::Placement { member: true, .. }) => {
            "Put into the pod. It was recreated for that.".to_owned()
        }
        (Ok(()), JobRequest::Placement { .. }) => {
            "Taken out of the pod. It was recreated for that.".to_owned()
        }
        (Ok(()), JobRequest::ModeChange { mode }) => {
            format!("Its agent moved: {}.", mode_label(*mode))
        }
        (Ok(()), JobRequest::Unknown) => String::new(),
    };
    // Moving an agent always interrupts it, so that is not mentioned.
    let interrupted =
        report.filter(|report| report.interrupted && !matches!(request, JobRequest::ModeChange { .. }));
    match interrupted.map(|report| report.state) {
        Some(JobState::Done) => format!("{what} The agent had ended meanwhile, and finished it afterwards."),
        Some(JobState::Undone) => format!("{what} The agent had ended meanwhile, and undid it afterwards."),
        _ => what,
    }
}
