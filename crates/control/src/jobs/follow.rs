//! Follows the jobs of a device over one link.

use super::{activity, never_begun};
use crate::{cache::FollowedJob, core::Core, report::SENTENCE_CHARS};
use flotilla_link::{AgentLink, CallError};
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, JobId},
    job::{JOBS_PATH, JobReport, JobRequest, LONGEST_WAIT_SECONDS},
    text::shown,
};
use serde::de::IgnoredAny;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How long an agent may take to answer a short call.
const ANSWER: Duration = Duration::from_secs(10);

/// Attempts of a call that the agent does not answer while its link lives.
const TRIES: u32 = 3;

/// Jobs of a device that are followed: more than any agent keeps.
const MOST_JOBS: usize = 100;

/// How long the report of a recreated container may arrive later than its job's outcome. The device sends it before the
/// job is over.
const LISTED_WITHIN: Duration = Duration::from_secs(5);
const LIST_CHECK: Duration = Duration::from_millis(20);

/// The pause between two calls about a job.
const PACE: Duration = Duration::from_millis(100);

/// How much later than its calls a link may notice its own end. The jobs of a link end together, so it is also how long
/// they gather before the device is asked for all of them on its next link.
const LINK_END: Duration = Duration::from_millis(100);

/// What recording a job of an earlier run of control costs of its device's pace, as bytes of reports: a device may
/// claim any number of such jobs, and each takes the place of an older entry of the activity log.
const CLAIM_COST: usize = 64 * 1024;

/// Begins a job, and follows it while the link lasts. The call is repeated when its answer is missing.
pub(super) async fn begin(core: Arc<Core>, id: JobId, link: AgentLink) {
    let Some(job) = core.jobs.lock().get(&id).cloned() else {
        return;
    };
    let path = format!("{JOBS_PATH}/{id}");
    for _ in 0..TRIES {
        match link.put::<JobReport>(&path, &job.request, ANSWER).await {
            Ok(report) => return follow(&core, id, &link, report).await,
            Err(CallError::TimedOut(_) | CallError::Busy) => {}
            Err(CallError::Closed) => return handle_cut_off(&core, id, &link),
            Err(error) => return fail(&core, id, error.into()).await,
        }
    }
    fail(&core, id, no_answer()).await;
}

/// Follows the jobs of a device with a new link.
pub(crate) async fn collect(core: &Arc<Core>, device: DeviceId, link: &AgentLink) {
    let reports = match link.get::<Vec<JobReport>>(JOBS_PATH, ANSWER).await {
        Ok(reports) => reports,
        // An agent of a version without jobs.
        Err(CallError::Refused(problem)) if problem.code == Code::NotFound => Vec::new(),
        Err(error) => {
            tracing::warn!(device.id = %device, %error, "a device does not say which jobs it has");
            return;
        }
    };
    for id in unfollowed_jobs(core, device) {
        if !reports.iter().any(|report| report.id == id) {
            fail(core, id, never_begun()).await;
        }
    }
    for report in reports.into_iter().take(MOST_JOBS) {
        let id = report.id;
        if claim(core, device, &report) {
            let (core, link) = (core.clone(), link.clone());
            let links = core.tasks.clone();
            links.spawn(async move { follow(&core, id, &link, report).await });
        }
    }
}

/// Jobs at a device that no task follows.
fn unfollowed_jobs(core: &Core, device: DeviceId) -> Vec<JobId> {
    let jobs = core.jobs.lock();
    let left = jobs
        .iter()
        .filter(|(_, job)| job.device == device && !job.is_followed);
    left.map(|(id, _)| *id).collect()
}

/// Takes a job for the caller to follow; false when another task follows it. An unknown job was begun by an earlier run
/// of control.
fn claim(core: &Core, device: DeviceId, report: &JobReport) -> bool {
    let mut jobs = core.jobs.lock();
    let job = jobs.entry(report.id).or_insert_with(|| FollowedJob {
        device,
        request: report.request.clone(),
        target: None,
        actor: None,
        is_followed: false,
        is_over: false,
        progress: watch::Sender::default(),
    });
    // A device can't take over another device's job by its id.
    job.device == device && !std::mem::replace(&mut job.is_followed, true)
}

async fn follow(core: &Arc<Core>, id: JobId, link: &AgentLink, mut report: JobReport) {
    let path = format!("{JOBS_PATH}/{id}");
    let limit = ANSWER + Duration::from_secs(LONGEST_WAIT_SECONDS.into());
    let mut tries = 0;
    while !report.state.is_over() {
        publish_progress(core, id, &report);
        let wait = format!(
            "{path}?from={}&wait_seconds={LONGEST_WAIT_SECONDS}",
            report.next_line
        );
        match link.get::<JobReport>(&wait, limit).await {
            Ok(next) => {
                // A pause also for a device that always has something new to report.
                sleep(PACE).await;
                (report, tries) = (next, 0);
            }
            Err(CallError::Closed) => return handle_cut_off(core, id, link),
            Err(CallError::TimedOut(_) | CallError::Busy) if tries < TRIES => tries += 1,
            Err(CallError::TimedOut(_) | CallError::Busy) => return fail(core, id, no_answer()).await,
            Err(error) => return fail(core, id, error.into()).await,
        }
    }
    let Some(job) = core.jobs.lock().get(&id).cloned() else {
        return;
    };
    if !job.is_over {
        if job.actor.is_none() {
            hold_back_claims(core, job.device).await;
        }
        wait_until_listed(core, &job, &report).await;
        let outcome = activity::outcome(&report);
        activity::record(core, &job, Some(&report), &outcome).await;
        finish(core, id, outcome);
    }
    match link.delete::<IgnoredAny>(&path, ANSWER).await {
        Ok(_) => drop(core.jobs.lock().remove(&id)),
        Err(CallError::Closed) => handle_cut_off(core, id, link),
        // The device lists the job on its next link, and is then told again to forget it.
        Err(_) => drop(release(core, id)),
    }
}

/// Delays a device that claims many jobs.
async fn hold_back_claims(core: &Core, device: DeviceId) {
    let wait = core.cache.lock().pace(device, CLAIM_COST, core.clock.now());
    sleep(wait).await;
}

/// Waits until the cache has the new container and not the old one, so that a request that follows the answer finds it.
async fn wait_until_listed(core: &Core, job: &FollowedJob, report: &JobReport) {
    let (Some(new), JobRequest::Placement { container: old, .. }) = (&report.container, &job.request) else {
        return;
    };
    let begun = Instant::now();
    while begun.elapsed() < LISTED_WITHIN {
        let is_so = core.cache.lock().device(job.device).is_none_or(|entry| {
            let shown = entry.last_report.inventory.containers();
            shown.contains_key(new) && (old == new || !shown.contains_key(old))
        });
        if is_so {
            return;
        }
        sleep(LIST_CHECK).await;
    }
    tracing::warn!(device.id = %job.device, "a device does not report the container that it made");
}

fn publish_progress(core: &Core, id: JobId, report: &JobReport) {
    let line = report.lines.last().map(|line| shown(line, SENTENCE_CHARS));
    if let Some(job) = core.jobs.lock().get(&id) {
        job.progress.send_modify(|progress| {
            progress.underway |= report.underway;
            progress.line = line.or(progress.line.take());
        });
    }
}

/// Stops following a job; answers its device. A job of an earlier run of control is dropped: the device will list it
/// again.
fn release(core: &Core, id: JobId) -> Option<DeviceId> {
    let mut jobs = core.jobs.lock();
    let job = jobs.get_mut(&id)?;
    job.is_followed = false;
    let (device, begun_here) = (job.device, job.actor.is_some());
    if !begun_here {
        jobs.remove(&id);
    }
    Some(device)
}

/// Handles a call that the end of its link cut off. The next link may exist already, and may have asked for jobs while
/// this one still counted as followed; so the device is asked again, once for all jobs that were cut off together.
fn handle_cut_off(core: &Arc<Core>, id: JobId, link: &AgentLink) {
    let device = release(core, id);
    let Some(device) = device.filter(|device| core.jobs.asked_again().insert(*device)) else {
        return;
    };
    core.tasks.spawn(ask_again(core.clone(), device, link.clone()));
}

/// `cut` is the link on which a call was cut off. If it still lives, its device is not asked again: a device that cuts
/// off every call would be asked for ever.
fn ask_again(core: Arc<Core>, device: DeviceId, cut: AgentLink) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        sleep(LINK_END).await;
        core.jobs.asked_again().remove(&device);
        if cut.is_closed()
            && let Some(link) = core.links.lookup(device)
        {
            collect(&core, device, &link).await;
        }
    })
}

fn finish(core: &Core, id: JobId, outcome: Result<(), Problem>) {
    if let Some(job) = core.jobs.lock().get_mut(&id) {
        job.is_over = true;
        job.progress
            .send_modify(|progress| progress.outcome = Some(outcome));
    }
}

/// Ends a job that the device does not have, or does not answer about.
async fn fail(core: &Core, id: JobId, problem: Problem) {
    let job = core.jobs.lock().remove(&id);
    if let Some(job) = job.filter(|job| !job.is_over) {
        let outcome = Err(problem);
        activity::record(core, &job, None, &outcome).await;
        job.progress
            .send_modify(|progress| progress.outcome = Some(outcome));
    }
}

fn no_answer() -> Problem {
    Problem::new(
        Code::NoAnswer,
        "The device does not say what came of it. It may go on there; look again.",
    )
}
