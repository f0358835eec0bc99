//! Control follows a job of this device over the link.

use super::control::{Control, token};
use flotilla_link::{CallError, stream::Opener};
use flotilla_protocol::{
    Code,
    id::JobId,
    job::{FollowJob, JOBS_PATH, JobProgress, JobReport, JobRequest, JobState},
    stream::{End, Event},
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// What a job may take here: it waits a while for an engine, and there is none.
const JOB: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_job_is_told_over_the_link_until_it_is_over_and_a_job_that_is_not_there_is_refused() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token);
    let link = control.linked().await;
    let [id, other] = [
        "01937c5e-7b1a-7c3e-8b9e-0123456789aa",
        "01937c5e-7b1a-7c3e-8b9e-0123456789bb",
    ]
    .map(|id| id.parse::<JobId>().unwrap());
    let request = JobRequest::Placement {
        container: "c1".into(),
        member: true,
    };
    let path = format!("{JOBS_PATH}/{id}");
    let begun: JobReport = link.put(&path, &request, LIMIT).await.unwrap();
    assert_eq!(begun.state, JobState::Running);
    let open = |id| {
        let wanted = FollowJob {
            from: begun.next_line,
        };
        let link = link.clone();
        async move {
            link.open::<JobProgress>(&id, wanted, &Opener::Control, LIMIT)
                .await
        }
    };
    let mut progress = open(id).await.unwrap();
    let told = async {
        loop {
            match progress.next().await {
                Some(Event::Item(report)) => assert_eq!(report.id, id),
                Some(Event::End(End::Finished { outcome })) => return outcome,
                other => panic!("{other:?}"),
            }
        }
    };
    let outcome = tokio::time::timeout(JOB, told).await.expect("an outcome in time");
    assert_eq!((outcome.id, outcome.state), (id, JobState::Failed));
    assert_eq!(outcome.problem.unwrap().code, Code::EngineUnavailable);
    // A stream of a job that is over has its end only, and has it each time.
    let mut again = open(id).await.unwrap();
    assert!(matches!(
        again.next().await,
        Some(Event::End(End::Finished { .. }))
    ));
    assert!(again.next().await.is_none());
    let refused = open(other).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Refused(problem) if problem.code == Code::NotFound),
        "{refused:?}"
    );
    agent.stopped().await;
}
