//! The calls to devices about one act of a job.

use crate::{core::Core, report::SENTENCE_CHARS};
use flotilla_fleet::jobs::{Call, CallFailure, LINES};
use flotilla_link::{AgentLink, CallError, stream::Opener};
use flotilla_protocol::{
    id::{DeviceId, JobId},
    job::{FollowJob, JOBS_PATH, JobProgress, JobReport},
    stream::{End, Event},
    text::shown,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an agent may take to answer a short call.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// The pause before a device is asked for more news of a job, also if it always has some.
const PACE: Duration = Duration::from_millis(100);

/// The least that news of a job cost of their device's pace, as bytes of reports: for each, all jobs are looked at, and the
/// job is published.
const NEWS_COST: usize = 32 * 1024;

/// The longest line of a device's job, in characters: a line tells one act in a few words. A device may have
/// [`flotilla_fleet::jobs::DEVICE_ACTS`] jobs of [`LINES`] lines, which take some 20 MB of the longest characters.
const LINE_CHARS: usize = 256;

/// How long the report of a recreated container may arrive later than its job's outcome. The device sends it before the
/// job is over.
const LISTED_WITHIN: Duration = Duration::from_secs(5);
const LIST_CHECK: Duration = Duration::from_millis(20);

/// Calls a device, and answers what it says. Its words are bounded and safe to show.
pub(super) async fn call(
    core: &Core,
    (device, job, act): (DeviceId, JobId, JobId),
    call: &Call,
) -> Result<JobReport, CallFailure> {
    let link = core.links.lookup(device).ok_or(CallFailure::CutOff)?;
    let answer = send(core, &link, (job, act), call).await;
    let report = answer.map_err(|error| match error {
        CallError::Closed => CallFailure::CutOff,
        CallError::TimedOut(_) => CallFailure::Silent,
        CallError::Busy => CallFailure::Crowded,
        error => CallFailure::Refused(error.into()),
    })?;
    let is_news = !report.state.is_over() && matches!(call, Call::Follow { .. });
    if is_news {
        let said: usize = report.lines.iter().map(String::len).sum();
        wait_for_turn(core, device, NEWS_COST + said).await;
    }
    let report = bounded(report);
    if report.state.is_over() {
        wait_until_listed(core, device, &report).await;
    } else if is_news {
        sleep(PACE).await;
    }
    Ok(report)
}

/// Waits until the device's pace has room for so many bytes. It may have many jobs, and say something of each.
async fn wait_for_turn(core: &Core, device: DeviceId, bytes: usize) {
    loop {
        let wait = core.cache.lock().take_pace(device, bytes, core.clock.now());
        if wait.is_zero() {
            return;
        }
        sleep(wait).await;
    }
}

async fn send(
    core: &Core,
    link: &AgentLink,
    (job, id): (JobId, JobId),
    call: &Call,
) -> Result<JobReport, CallError> {
    let path = format!("{JOBS_PATH}/{id}");
    match call {
        Call::Begin(request) => link.put(&path, request, ANSWER).await,
        Call::Follow { from } => follow(core, link, (job, id), *from).await,
        Call::Cancel => link.delete(&format!("{path}?only=cancel"), ANSWER).await,
        Call::Forget => link.delete(&format!("{path}?only=forget"), ANSWER).await,
    }
}

/// The next news of an act. They are one stream as long as the link lives.
async fn follow(
    core: &Core,
    link: &AgentLink,
    (job, id): (JobId, JobId),
    from: u32,
) -> Result<JobReport, CallError> {
    let mut news = match core.jobs.take_news((job, id)) {
        Some(news) => news,
        None => {
            link.open::<JobProgress>(&id, FollowJob { from }, &Opener::Control, ANSWER)
                .await?
        }
    };
    match news.next().await {
        Some(Event::Item(report)) => {
            core.jobs.keep_news((job, id), news);
            Ok(report)
        }
        Some(Event::End(End::Finished { outcome })) => Ok(outcome),
        Some(Event::End(End::Failed { problem })) => Err(CallError::Refused(problem)),
        Some(Event::End(_)) | None => Err(CallError::Closed),
    }
}

/// What a device says, at a length that can be shown.
pub(super) fn bounded(report: JobReport) -> JobReport {
    let lines = report.lines.iter().rev().take(LINES).rev();
    JobReport {
        lines: lines.map(|line| shown(line, LINE_CHARS)).collect(),
        target: report
            .target
            .as_deref()
            .map(|target| shown(target, SENTENCE_CHARS)),
        problem: report.problem.map(flotilla_link::sanitize_device_problem),
        container: report
            .container
            .as_deref()
            .map(|container| shown(container, SENTENCE_CHARS)),
        ..report
    }
}

/// Waits until the cache has the new container and not the old one, so that a request that follows the answer finds it.
async fn wait_until_listed(core: &Core, device: DeviceId, report: &JobReport) {
    let (Some(new), Some(old)) = (&report.container, report.request.replaced_container()) else {
        return;
    };
    let begun = Instant::now();
    while begun.elapsed() < LISTED_WITHIN {
        let is_so = core.cache.lock().device(device).is_none_or(|entry| {
            let shown = entry.last_report.inventory.containers();
            shown.contains_key(new) && (old == new || !shown.contains_key(old))
        });
        if is_so {
            return;
        }
        sleep(LIST_CHECK).await;
    }
    tracing::warn!(device.id = %device, "a device does not report the container that it made");
}
