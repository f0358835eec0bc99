//! What takes long or takes things apart. A job is kept in the store and survives restarts, lost links and sleep.
//!
//! The decisions are those of [`flotilla_fleet::jobs`], which sits in [`crate::cache::JobTable`]. Life cycle of a job here:
//! its record is written → the runner is woken → it calls devices (`calls`) or carries the job out itself (`kinds`) → the
//! outcome and its entries of the activity log are written in one transaction → requests that wait are answered, and the
//! live stream shows it → the device may forget it. A job that a device lists and control does not know is taken over
//! (`listed`).

mod activity;
pub(crate) mod begin;
mod calls;
pub(crate) mod kinds;
mod listed;
mod news;
mod runner;
mod view;

pub(crate) use activity::{capitalized, word as activity_word};
pub(crate) use begin::begin;
pub(crate) use news::JobNews;
pub(crate) use runner::{resume, run};

use crate::{core::Core, refusal::Refusal, store::Newest};
use flotilla_fleet::jobs::JobRecord;
use flotilla_protocol::{
    Code, Timestamp,
    api::{Job, List, Scope},
    id::{DeviceId, JobId},
};
use std::{collections::BTreeSet, time::Duration};

/// How long jobs that are over are kept: a month, so that a failure of last month's maintenance can be read up.
const LONGEST_KEPT: Duration = Duration::from_secs(31 * 86_400);

/// The most jobs that are over and kept, and listed at once: with their containers some MiB, and the newest 20 jobs of
/// the largest kind.
const KEPT: Newest = Newest {
    jobs: 1_000,
    acts: 20_000,
};

/// Jobs that are over and listed unless another number is asked for.
const LISTED: u32 = 20;

/// The most jobs that are over and listed.
const MOST_LISTED: u32 = 500;

/// Ends a job at the next point at which that is safe.
///
/// # Errors
/// It can't be ended.
pub(crate) async fn cancel(core: &Core, job: &Job) -> Result<Job, Refusal> {
    core.jobs.tell(|jobs| jobs.handle_cancel(job.id, core.moment()))?;
    show(core, &Scope::All, &job.id.to_string()).await
}

/// Whether all devices of a job are in a scope.
pub(crate) fn is_in(core: &Core, scope: &Scope, mut devices: impl Iterator<Item = DeviceId>) -> bool {
    let state = core.cache.lock();
    scope.is_all() || devices.all(|device| state.place(device).is_in(scope))
}

/// One job, with its lines and the outcomes of its containers.
///
/// # Errors
/// There is no such job in the scope.
pub(crate) async fn show(core: &Core, scope: &Scope, id: &str) -> Result<Job, Refusal> {
    let id = id.parse().map_err(|_| no_such_job(id))?;
    let (record, is_cancelable) = find(core, scope, id).await?;
    Ok(view::whole(&record, is_cancelable, core.clock.now()))
}

/// The record of a job, and whether the job can be ended early. It is over once that is written.
async fn find(core: &Core, scope: &Scope, id: JobId) -> Result<(JobRecord, bool), Refusal> {
    let live = core.jobs.read(|jobs| {
        let record = jobs.lookup(id).filter(|record| !record.state.is_over())?;
        Some((record.clone(), jobs.is_cancelable(id)))
    });
    let found = match live {
        Some(live) => Some(live),
        None => core.store.lookup_job(id).await?.map(|record| (record, false)),
    };
    found
        .filter(|(record, _)| is_in(core, scope, record.devices().into_keys()))
        .ok_or_else(|| no_such_job(&id.to_string()))
}

/// All jobs of a scope that are not over, and those of the newest that are; the newest first.
pub(crate) async fn list(core: &Core, scope: &Scope, limit: Option<u32>) -> Result<List<Job>, Refusal> {
    // In this order, a job that ends meanwhile is in one of the two, or in both.
    let seq = core.cache.lock().live.seq();
    let live = core.jobs.list();
    let limit = limit.unwrap_or(LISTED).min(MOST_LISTED);
    let newest = Newest { jobs: limit, ..KEPT };
    let over = core.store.list_over_jobs(newest).await?;
    let at = core.clock.now();
    let mut items: Vec<_> = over.iter().map(|record| view::of(record, false, at)).collect();
    let known: BTreeSet<_> = items.iter().map(|job| job.id).collect();
    items.extend(live.into_iter().filter(|job| !known.contains(&job.id)));
    items.retain(|job| is_in(core, scope, job.device_ids.iter().copied()));
    items.sort_by_key(|job| std::cmp::Reverse((job.began, job.id)));
    Ok(List::of(items, seq))
}

/// Removes jobs that were over long ago.
pub(crate) async fn trim(core: &Core) {
    let now = core.clock.now();
    let before = now.checked_sub(LONGEST_KEPT).unwrap_or(Timestamp::MIN);
    if let Err(error) = core.store.trim_jobs(before, KEPT).await {
        tracing::error!(%error, "old jobs could not be removed");
    }
}

fn no_such_job(id: &str) -> Refusal {
    Refusal(Code::NotFound.because(format!(
        "There is no job {id}. Jobs that ended long ago are forgotten."
    )))
}

#[cfg(test)]
mod tests;
