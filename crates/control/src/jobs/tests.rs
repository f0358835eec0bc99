//! What a hostile device says of its jobs.

use super::{
    begin::{adopt, draft},
    calls::bounded,
    listed::work,
    *,
};
use crate::{
    Ui,
    testbed::{
        Testbed, peer,
        spoil::{self, assert_plain},
    },
};
use flotilla_fleet::jobs::{Call, DEVICE_ACTS, LINES, Origin};
use flotilla_protocol::{
    activity::{Activity, Actor},
    device::NetworkMode,
    inventory::ContainerAction,
    job::{JobReport, JobRequest, JobState},
};
use serde_json::Value;

/// A valid report of a job of each kind, with every field.
fn samples() -> Vec<JobReport> {
    let first = JobRequest::Placement {
        container: "4f1c".into(),
        member: true,
    };
    let report = |request| JobReport {
        id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        request,
        state: JobState::Failed,
        target: Some("web".into()),
        underway: true,
        interrupted: true,
        began: "2026-11-21T14:02:00Z".parse().unwrap(),
        ended: Some("2026-11-21T14:02:09Z".parse().unwrap()),
        container: Some("5a2d".into()),
        problem: Some(Code::EngineRefused.because("no space left")),
        lines: vec!["web is stopped.".into()],
        next_line: 1,
    };
    std::iter::successors(Some(first), after).map(report).collect()
}

/// The kind after another one.
fn after(request: &JobRequest) -> Option<JobRequest> {
    Some(match request {
        JobRequest::Placement { .. } => JobRequest::ModeChange {
            mode: NetworkMode::Bridge,
        },
        JobRequest::ModeChange { .. } => JobRequest::Action {
            container: "4f1c".into(),
            action: ContainerAction::Restart,
        },
        JobRequest::Action { .. } => JobRequest::Recreation {
            container: "4f1c".into(),
        },
        JobRequest::Recreation { .. } => JobRequest::Removal {
            container: "4f1c".into(),
            volumes: true,
        },
        JobRequest::Removal { .. } => JobRequest::Unknown,
        JobRequest::Unknown => return None,
    })
}

#[tokio::test]
async fn whatever_a_device_says_of_its_jobs_pages_and_the_next_start_can_read() {
    let nas = peer("nas", 1);
    let bed = Testbed::with(Ui::None, vec![nas.clone()]).await;
    let core = &bed.core;
    let samples = samples()
        .into_iter()
        .map(|report| serde_json::to_value(report).unwrap());
    let mut read = 0;
    for line in samples.flat_map(|sample| spoil::all(&sample)) {
        let line = line.to_string();
        let Ok(report) = serde_json::from_str::<JobReport>(&line) else {
            continue;
        };
        let Some(work) = work(nas.row.id, nas.row.name.clone(), &report.request) else {
            continue;
        };
        read += 1;
        let caller = Actor::Device { name: "nas".into() };
        let record = draft(core, work, caller);
        let id = record.id;
        core.store.create_job(&record).await.unwrap();
        let mut handle = adopt(core, record, Origin::Listed);
        let done = JobReport {
            state: JobState::Done,
            ..report.clone()
        };
        for report in [report, done] {
            let call = Call::Follow { from: 0 };
            let answer = Ok(bounded(report));
            core.jobs
                .tell(|jobs| jobs.handle_answer(id, (id, &call), answer, core.moment()));
        }
        let over = handle.over(Duration::from_secs(10)).await;
        assert_ne!(over, Ok(None), "{line:.200}");
        let shown: Value = bed.get(&format!("/jobs/{id}")).await;
        assert_plain(&shown, &line);
        assert!(serde_json::from_value::<Job>(shown).is_ok(), "{line:.200}");
    }
    assert!(read > 100, "only {read} are reports");
    let listed: List<Job> = bed.get("/jobs?limit=500").await;
    let log: List<Activity> = bed.get("/activity?limit=500").await;
    assert!(listed.items.len().min(log.items.len()) >= read.min(500) / 2);
    assert_plain(&serde_json::to_value((listed, log)).unwrap(), "all of them");
    // What the next start reads.
    assert_eq!(core.store.list_live_jobs().await.unwrap(), []);
    assert_eq!(core.store.list_over_jobs(KEPT).await.unwrap().len(), read);
}

#[test]
fn all_that_a_device_says_of_its_jobs_takes_little_memory() {
    let told = JobReport {
        lines: vec!["\u{10348}".repeat(2_000); 2 * LINES],
        ..samples().remove(0)
    };
    let kept = bounded(told).lines;
    let bytes: usize = kept.iter().map(String::len).sum();
    assert_eq!(kept.len(), LINES);
    assert!(DEVICE_ACTS * bytes < 24 << 20, "{bytes} bytes for one job");
}
