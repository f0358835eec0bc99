//! How a job goes, for one reader: the job at each change, and each of its lines once.

use super::{find, is_in, view};
use crate::{cache::JobHandle, core::Core};
use flotilla_protocol::{
    api::{BEAT, Job, Scope, WatchJob},
    id::{DeviceId, JobId},
    job::FollowJob,
    stream::{End, Event, EventOf},
};
use std::sync::Arc;
use tokio::time::timeout;

pub(crate) struct JobNews {
    core: Arc<Core>,
    /// Where the reader may look.
    scope: Scope,
    id: JobId,
    /// `None` when the job was over before it was asked for.
    handle: Option<JobHandle>,
    /// Number of the first line that was not told.
    from: u32,
    /// The devices of the job, once all that is known of it was told.
    told: Option<Vec<DeviceId>>,
}

impl JobNews {
    pub(crate) fn new(core: Arc<Core>, scope: Scope, id: JobId, FollowJob { from }: FollowJob) -> Self {
        Self {
            // Before the job is looked at, so that no change is missed.
            handle: core.jobs.handle(id),
            core,
            scope,
            id,
            from,
            told: None,
        }
    }

    /// Waits for news. The first are how the job stands; the last are how it ended.
    pub(crate) async fn next(&mut self) -> EventOf<WatchJob> {
        if let Some(devices) = self.told.take()
            && let Some(end) = self.changed(&devices).await
        {
            return Event::End(end);
        }
        let (record, is_cancelable) = match find(&self.core, &self.scope, self.id).await {
            Ok(found) => found,
            Err(refusal) => return Event::End(refusal.0.into()),
        };
        let job = view::with_lines(&record, self.from, is_cancelable, self.core.clock.now());
        self.from = job.next_line;
        let is_all = job.next_line == record.lines.next_number();
        self.told = is_all.then(|| job.device_ids.clone());
        if job.state.is_over() && is_all {
            Event::End(End::Finished { outcome: job })
        } else {
            Event::Item(job)
        }
    }

    /// Waits until the job is shown anew; the end if the reader is to hear no more of it.
    async fn changed(&mut self, devices: &[DeviceId]) -> Option<End<Job>> {
        let Some(handle) = &mut self.handle else {
            return Some(End::Stopping);
        };
        loop {
            match timeout(BEAT, handle.changed()).await {
                Ok(true) => return None,
                Ok(false) => return Some(End::Stopping),
                Err(_) if is_in(&self.core, &self.scope, devices.iter().copied()) => {}
                Err(_) => return Some(End::NotAllowed),
            }
        }
    }
}
