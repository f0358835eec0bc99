//! How jobs go, as programs and pages follow them.

use super::{
    streams::{Bed, Headers, Page},
    *,
};
use flotilla_protocol::{
    api::{Job, ModeChanged, WatchJob},
    id::JobId,
    job::{FollowJob, JobState},
    stream::{End, Event},
};

impl Bed {
    /// Begins to move the agent, which says one line and does not end.
    async fn begin(&self) -> JobId {
        self.agent.jobs.slow.send_replace(true);
        let changed = self
            .control
            .ask("POST", "/devices/box/mode", r#"{"mode":"bridge"}"#)
            .await;
        let changed: ModeChanged = serde_json::from_value(changed).unwrap();
        changed.job.expect("a job moves it")
    }

    async fn watch(&self, headers: Headers, job: JobId, open: FollowJob) -> Page<WatchJob> {
        let api = self.control.ready.api.strip_prefix("http://").unwrap();
        Page::open(api.parse().unwrap(), &job, (headers, open)).await
    }
}

impl Page<WatchJob> {
    async fn item(&mut self) -> Job {
        match self.next().await {
            Event::Item(job) => job,
            Event::End(end) => panic!("{end:?}"),
        }
    }

    async fn end(&mut self) -> End<Job> {
        loop {
            if let Event::End(end) = self.next().await {
                return end;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_job_is_told_each_line_once_and_its_end() {
    let bed = Bed::new().await;
    let job = bed.begin().await;
    let mut page = bed.watch(bed.token(), job, FollowJob::default()).await;
    let mut lines = Vec::new();
    while lines.is_empty() {
        let told = page.item().await;
        assert_eq!((told.id, told.state), (job, JobState::Running));
        lines.extend(told.lines);
    }
    assert_eq!(lines, ["web is stopped."]);
    // Where it was left, it goes on.
    let mut again = bed.watch(bed.session(), job, page.reader.into_open()).await;
    assert_eq!(again.item().await.lines, [""; 0]);
    bed.agent.jobs.slow.send_replace(false);
    let End::Finished { outcome } = again.end().await else {
        panic!("it is done");
    };
    assert_eq!((outcome.state, outcome.lines.len()), (JobState::Done, 0));
    let mut late = bed.watch(bed.token(), job, FollowJob::default()).await;
    let Event::End(End::Finished { outcome }) = late.next().await else {
        panic!("it is over");
    };
    assert_eq!(outcome.lines, ["web is stopped."]);
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_other_devices_are_not_there_to_follow_and_it_ends_with_what_allowed_it() {
    let bed = Bed::new().await;
    bed.retag(r#"{"tags":{"add":["prod"],"remove":[]}}"#).await;
    let job = bed.begin().await;
    let open = FollowJob::default();
    let other = bed.viewer("other", "lab").await;
    let End::Failed { problem } = bed.watch(other, job, open).await.end().await else {
        panic!("there is no such job for it");
    };
    assert_eq!(problem.code, Code::NotFound);
    let [mut one, mut two] = [
        bed.watch(bed.viewer("one", "prod").await, job, open).await,
        bed.watch(bed.viewer("two", "prod").await, job, open).await,
    ];
    one.item().await;
    two.item().await;
    bed.control.ask("DELETE", "/tokens/one", "").await;
    assert_eq!(one.end().await, End::NotAllowed);
    bed.retag(r#"{"tags":{"add":[],"remove":["prod"]}}"#).await;
    assert_eq!(two.end().await, End::NotAllowed);
    let mut owner = bed.watch(bed.token(), job, open).await;
    owner.item().await;
    let told = async { assert_eq!(owner.end().await, End::Stopping) };
    tokio::join!(bed.control.shutdown(), told);
}
