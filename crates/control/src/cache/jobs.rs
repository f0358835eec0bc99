//! The jobs that are not over, in the state machine of `fleet`. Links, requests and answers of devices report to it here,
//! and each report wakes the runner, which carries out what is due next.

use flotilla_fleet::jobs::{JobRecord, Jobs, Now, Origin, Todo};
use flotilla_link::stream::AgentStream;
use flotilla_protocol::{
    Code, Problem,
    api::Job,
    id::{DeviceId, JobId},
    job::JobProgress,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// All jobs that are not over. Shared by reference.
#[derive(Debug, Default)]
pub(crate) struct JobTable {
    machine: Mutex<Jobs>,
    shown: Mutex<BTreeMap<JobId, watch::Sender<ShownJob>>>,
    links: Mutex<LinkTable>,
    /// Streams of news of acts, each with its job, while no call reads them. Locked behind the machine.
    news: Mutex<BTreeMap<(JobId, JobId), AgentStream<JobProgress>>>,
    woken: Notify,
    /// Held while a job is drafted, written and adopted, so that no two begin on the same thing.
    pub(crate) beginning: tokio::sync::Mutex<()>,
}

/// The links of devices as far as jobs are concerned. Locked before the machine.
#[derive(Debug, Default)]
struct LinkTable {
    begun: u64,
    /// The number of each device's present link.
    present: BTreeMap<DeviceId, u64>,
    /// Devices that are to be asked for the jobs that they have.
    to_ask: BTreeSet<DeviceId>,
}

/// A job as people read it, and as requests wait for it.
#[derive(Debug, Clone)]
pub(crate) struct ShownJob {
    pub(crate) job: Job,
    /// Its device has written it down: it finishes or undoes it, whatever happens.
    pub(crate) is_underway: bool,
}

impl JobTable {
    /// Tells the machine what happened, and wakes the runner.
    pub(crate) fn tell<T>(&self, event: impl FnOnce(&mut Jobs) -> T) -> T {
        let answer = event(&mut self.machine.lock());
        self.woken.notify_one();
        answer
    }

    /// Reads from the machine.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Jobs) -> T) -> T {
        look(&self.machine.lock())
    }

    /// The stream by which the news of an act come.
    pub(crate) fn take_news(&self, act: (JobId, JobId)) -> Option<AgentStream<JobProgress>> {
        self.news.lock().remove(&act)
    }

    /// Keeps the stream for the next call about the act, until its outcome is known.
    pub(crate) fn keep_news(&self, act: (JobId, JobId), news: AgentStream<JobProgress>) {
        self.news.lock().insert(act, news);
    }

    /// A link has begun. Its device is called about jobs once it has said which it has.
    pub(crate) fn handle_link_up(&self, device: DeviceId) {
        let mut links = self.links.lock();
        links.begun += 1;
        let number = links.begun;
        links.present.insert(device, number);
        links.to_ask.insert(device);
        drop(links);
        self.woken.notify_one();
    }

    pub(crate) fn handle_link_down(&self, device: DeviceId, now: Now) {
        let mut links = self.links.lock();
        links.present.remove(&device);
        links.to_ask.remove(&device);
        self.tell(|jobs| jobs.handle_link_down(device, now));
    }

    /// A device that is to be asked, with the number of its link.
    pub(crate) fn poll_linked(&self) -> Option<(DeviceId, u64)> {
        let mut links = self.links.lock();
        let device = links.to_ask.pop_first()?;
        let number = links.present.get(&device).copied()?;
        Some((device, number))
    }

    /// A device said over this link which jobs it has; false when the link has ended.
    pub(crate) fn handle_listed(&self, (device, link): (DeviceId, u64), listed: &[JobId], now: Now) -> bool {
        let links = self.links.lock();
        let is_present = links.present.get(&device) == Some(&link);
        if is_present {
            self.tell(|jobs| jobs.handle_link_up(device, listed, now));
        }
        is_present
    }

    /// The device is about to leave the fleet. Returns when nothing is carried out for it here any more.
    pub(crate) async fn leave(&self, device: DeviceId, now: Now) {
        let push = self.read(|jobs| jobs.lookup_push(device));
        let push = push.and_then(|push| self.handle(push));
        self.tell(|jobs| jobs.handle_gone(device, now));
        if let Some(mut push) = push {
            // It was ended early, and that is what its outcome says.
            drop(push.over(Duration::MAX).await);
        }
    }

    /// Takes a job whose record is written, and which is shown as given.
    pub(crate) fn adopt(&self, record: JobRecord, shown: ShownJob, origin: Origin, now: Now) -> JobHandle {
        let sender = watch::Sender::new(shown);
        let handle = JobHandle(sender.subscribe());
        self.shown.lock().insert(record.id, sender);
        self.tell(|jobs| jobs.adopt(record, origin, now));
        handle
    }

    /// Shows a job anew; forgets it here when it is over, since it is in the store then.
    pub(crate) fn show(&self, shown: ShownJob) {
        let mut all = self.shown.lock();
        let (id, is_over) = (shown.job.id, shown.job.state.is_over());
        if let Some(sender) = all.get(&id) {
            sender.send_replace(shown);
        }
        if is_over {
            all.remove(&id);
        }
    }

    /// Lets a request wait for a job that is not over.
    pub(crate) fn handle(&self, id: JobId) -> Option<JobHandle> {
        let all = self.shown.lock();
        all.get(&id).map(|sender| JobHandle(sender.subscribe()))
    }

    /// The jobs that are not over.
    pub(crate) fn list(&self) -> Vec<Job> {
        let all = self.shown.lock();
        all.values().map(|sender| sender.borrow().job.clone()).collect()
    }

    /// Waits until something was told, or the time that the machine gave has come.
    pub(crate) async fn woken(&self) {
        let due = self.read(Jobs::poll_timeout);
        let wait = due.map(|due| due.saturating_duration_since(tokio::time::Instant::now().into_std()));
        // A millisecond more, since timers may fire a little early.
        let wait = wait.map_or(Duration::MAX, |wait| wait + Duration::from_millis(1));
        drop(timeout(wait, self.woken.notified()).await);
    }

    /// The next thing to do.
    pub(crate) fn poll_todo(&self, now: Now) -> Option<Todo> {
        let mut machine = self.machine.lock();
        machine.handle_timeout(now);
        let todo = machine.poll_todo(now);
        if todo.is_none() {
            let mut news = self.news.lock();
            news.retain(|(job, act), _| machine.is_followed(*job, *act));
        }
        todo
    }
}

/// Lets a request wait for a job. Dropping it does not end the job.
#[derive(Debug)]
pub(crate) struct JobHandle(watch::Receiver<ShownJob>);

impl JobHandle {
    /// The job as it is.
    pub(crate) fn job(&self) -> Job {
        self.0.borrow().job.clone()
    }

    /// Waits until the job is shown anew; false when it never is, because it is over or control stops.
    pub(crate) async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }

    /// Waits until the job is over; `None` when it takes longer.
    ///
    /// # Errors
    /// Why it was not done.
    pub(crate) async fn over(&mut self, limit: Duration) -> Result<Option<()>, Problem> {
        self.until(limit, |shown| shown.job.state.is_over()).await
    }

    /// Waits until the device has written the job down or it is over; `None` when that takes longer.
    ///
    /// # Errors
    /// Why it was not begun.
    pub(crate) async fn underway(&mut self, limit: Duration) -> Result<Option<()>, Problem> {
        self.until(limit, |shown| shown.is_underway || shown.job.state.is_over())
            .await
    }

    async fn until(
        &mut self,
        limit: Duration,
        is_so: impl FnMut(&ShownJob) -> bool,
    ) -> Result<Option<()>, Problem> {
        match timeout(limit, self.0.wait_for(is_so)).await {
            Ok(Ok(shown)) => match &shown.job.problem {
                Some(problem) if shown.job.state.is_over() => Err(problem.clone()),
                _ => Ok(Some(())),
            },
            // The sender lives in the table until it has shown the end, unless control stops.
            Ok(Err(_)) => Err(Code::Unavailable
                .because("Flotilla is stopping. The job goes on when it runs again; look again.")),
            Err(_) => Ok(None),
        }
    }
}

/// The time that passes, which tests may pause.
pub(crate) fn passed() -> Instant {
    tokio::time::Instant::now().into_std()
}
