//! Jobs whose records outlive control, links and devices, and what people see of them.

use super::{jobs::last_activity, modes::add_box, *};
use flotilla_fleet::jobs::{ActOutcome, CALLER_ACTS, JobRecord, Origin, Target, Work};
use flotilla_protocol::{
    activity::{Action, Activity, Actor},
    api::{Job, JobKind},
    id::{DeviceId, JobId},
    inventory::ContainerAction,
    job::{JobRequest, JobState},
};

/// The settings of a control that listens where this one does.
fn again(control: &Control, dir: &std::path::Path) -> ControlConfig {
    let fleet = control.ready.fleet.strip_prefix("https://").unwrap();
    ControlConfig {
        fleet_addr: fleet.parse().unwrap(),
        ..config(dir)
    }
}

async fn job(control: &Control, id: JobId) -> Job {
    serde_json::from_value(control.ask("GET", &format!("/jobs/{id}"), "").await).unwrap()
}

async fn over(control: &Control, id: JobId) -> Job {
    eventually("it is over", async || job(control, id).await.state.is_over()).await;
    job(control, id).await
}

async fn restarts_recorded(control: &Control) -> usize {
    let log: List<Activity> =
        serde_json::from_value(control.ask("GET", "/activity?limit=100", "").await).unwrap();
    let restarted = |entry: &&Activity| entry.action == Action::ContainerRestarted;
    log.items.iter().filter(restarted).count()
}

/// Writes the record of a restart, as a control leaves it that ends before its first call to the device.
async fn written(control: &Control) -> JobRecord {
    let device = control.device("box").await;
    let target = Target {
        device: device.id,
        device_name: device.name,
        container: Some("1".into()),
        name: Some("web".into()),
    };
    let action = ContainerAction::Restart;
    let work = (Work::Bulk { action }, vec![target]);
    let draft = crate::jobs::begin::draft(&control.core, work, Actor::Owner);
    control.core.store.create_job(&draft).await.unwrap();
    draft
}

/// Writes the record of a restart that is over.
async fn ended(control: &Control, outcome: ActOutcome) -> JobRecord {
    let mut record = written(control).await;
    let now = control.core.clock.now();
    (record.state, record.ended) = (outcome.state, Some(now));
    record.acts[0].outcome = Some(outcome);
    let saved = control.core.store.save_job(&record, &[0], Vec::new(), now).await;
    saved.unwrap();
    record
}

async fn restart(control: Control, dir: &std::path::Path, enrolled: &EnrolledDevice) -> (Control, Agent) {
    let settings = again(&control, dir);
    control.shutdown().await;
    let control = Control::start(settings).await.unwrap();
    let agent = enrolled.dial("box").await.unwrap();
    agent.reports.send(hello()).await.unwrap();
    (control, agent)
}

#[tokio::test]
async fn a_control_that_ended_before_its_first_call_makes_it_when_it_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_agent, enrolled) = add_box(&control, "host").await;
    let record = written(&control).await;
    let (control, agent) = restart(control, dir.path(), &enrolled).await;
    let job = over(&control, record.id).await;
    assert_eq!((job.state, job.kind), (JobState::Done, JobKind::Bulk), "{job:?}");
    assert_eq!(job.title, "Restart web on box");
    let calls = agent.calls.lock().unwrap().clone();
    assert_eq!(calls.iter().filter(|call| *call == "job restart 1").count(), 1);
    assert_eq!(restarts_recorded(&control).await, 1);
    eventually("the device may forget it", async || agent.jobs.list().is_empty()).await;
    control.shutdown().await;
}

#[tokio::test]
async fn an_outcome_that_a_control_could_not_write_is_asked_for_again_and_nothing_is_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_agent, enrolled) = add_box(&control, "host").await;
    let record = written(&control).await;
    let request = JobRequest::Action {
        container: "1".into(),
        action: ContainerAction::Restart,
    };
    enrolled.jobs.end(record.id, request);
    let (control, agent) = restart(control, dir.path(), &enrolled).await;
    assert_eq!(over(&control, record.id).await.state, JobState::Done);
    assert_eq!(
        agent.jobs.busiest.load(Ordering::Relaxed),
        1,
        "it was not begun again"
    );
    assert_eq!(restarts_recorded(&control).await, 1);
    eventually("the device may forget it", async || agent.jobs.list().is_empty()).await;

    // And once more, when only the device had not forgotten it.
    let (control, _agent) = restart(control, dir.path(), &enrolled).await;
    assert_eq!(job(&control, record.id).await.state, JobState::Done);
    assert_eq!(restarts_recorded(&control).await, 1);
    control.shutdown().await;
}

#[tokio::test]
async fn several_containers_are_one_job_of_which_a_device_gets_four_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "host").await;
    let containers = (10..22).map(|n| container(&n.to_string(), &format!("c{n}")));
    let inventory = Inventory {
        containers: containers.collect(),
        ..Default::default()
    };
    agent.reports.send(Report::Inventory(inventory)).await.unwrap();
    control
        .eventually("its containers", "box", |device| device.containers.total == 12)
        .await;
    agent.jobs.slow.send_replace(true);
    let refs = (10..22).map(|n| json!({"device": "box", "container": format!("c{n}")}));
    let body = json!({"action": "stop", "containers": refs.collect::<Vec<_>>()}).to_string();
    let begun: Job = serde_json::from_value(control.ask("POST", "/containers/actions", &body).await).unwrap();
    assert_eq!(begun.title, "Stop 12 containers");
    eventually("four are begun", async || agent.jobs.list().len() == 4).await;
    let listed: List<Job> = serde_json::from_value(control.ask("GET", "/jobs", "").await).unwrap();
    assert_eq!(listed.items[0].state, JobState::Running);
    agent.jobs.slow.send_replace(false);
    let done = over(&control, begun.id).await;
    assert_eq!((done.state, done.outcomes.len()), (JobState::Done, 12));
    assert!(
        done.outcomes
            .iter()
            .all(|outcome| outcome.state == JobState::Done)
    );
    assert_eq!(agent.jobs.busiest.load(Ordering::Relaxed), 4);
    let shown = control.ask("GET", &format!("/jobs/{}", begun.id), "").await;
    for key in [
        "id", "kind", "state", "device", "caller", "began", "ended", "step",
    ] {
        assert!(!shown[key].is_null(), "{key}: {shown}");
    }
    let entry = last_activity(&control).await;
    assert_eq!(
        (entry.action, entry.details.as_str()),
        (Action::ContainerStopped, "Stopped.")
    );
    control.shutdown().await;
}

#[tokio::test]
async fn a_job_says_that_it_waits_for_a_device_and_can_be_canceled_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "host").await;
    agent.link.abort();
    control
        .eventually("it is away", "box", |device| {
            device.status != DeviceStatus::Online
        })
        .await;
    let body = r#"{"action":"restart","containers":[{"device":"box","container":"web"}]}"#;
    let begin = async || -> Job {
        serde_json::from_value(control.ask("POST", "/containers/actions", body).await).unwrap()
    };
    let begun = begin().await;
    eventually("it says so", async || {
        job(&control, begun.id).await.step == "It waits for box, which is offline."
    })
    .await;
    assert_eq!(job(&control, begun.id).await.state, JobState::Waiting);
    let path = format!("/jobs/{}", begun.id);
    control.ask("DELETE", &path, "").await;
    let canceled = over(&control, begun.id).await;
    assert_eq!(canceled.state, JobState::Canceled);
    assert_eq!(
        control.ask("DELETE", &path, "").await["code"],
        json!(Code::Conflict),
        "it is over"
    );
    let second = begin().await;
    let agent = enrolled.dial("box").await.unwrap();
    agent.reports.send(hello()).await.unwrap();
    assert_eq!(over(&control, second.id).await.state, JobState::Done);
    let calls = agent.calls.lock().unwrap().clone();
    assert_eq!(
        calls.iter().filter(|call| *call == "job restart 1").count(),
        1,
        "{calls:?}"
    );
    assert_eq!(
        control
            .ask("GET", "/jobs/01937c5e-7b1a-7c3e-8b9e-0123456789ab", "")
            .await["code"],
        json!(Code::NotFound)
    );
    control.shutdown().await;
}

#[tokio::test]
async fn who_has_too_many_jobs_begins_no_more_of_any_kind_until_one_is_canceled() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_agent, _enrolled) = add_box(&control, "host").await;
    let away = Target::agent(DeviceId(uuid::Uuid::from_u128(7)), "away".parse().unwrap());
    let targets = (0..CALLER_ACTS).map(|n| Target {
        container: Some(n.to_string()),
        ..away.clone()
    });
    let action = ContainerAction::Restart;
    let work = (Work::Bulk { action }, targets.collect());
    let many = crate::jobs::begin::draft(&control.core, work, Actor::Owner);
    control.core.store.create_job(&many).await.unwrap();
    drop(crate::jobs::begin::adopt(
        &control.core,
        many.clone(),
        Origin::New,
    ));

    let body = r#"{"action":"restart","containers":[{"device":"box","container":"web"}]}"#;
    let restart = async || control.ask("POST", "/containers/actions", body).await;
    assert_eq!(restart().await["code"], json!(Code::RateLimited));
    let moved = control
        .ask("POST", "/devices/box/mode", r#"{"mode":"bridge"}"#)
        .await;
    assert_eq!(moved["code"], json!(Code::RateLimited), "{moved}");
    assert_eq!(control.device("box").await.mode.as_str(), "host");

    control.ask("DELETE", &format!("/jobs/{}", many.id), "").await;
    assert_eq!(over(&control, many.id).await.state, JobState::Canceled);
    let begun: Job = serde_json::from_value(restart().await).unwrap();
    assert_eq!(over(&control, begun.id).await.state, JobState::Done);
    control.shutdown().await;
}

#[tokio::test]
async fn who_waited_for_a_container_goes_on_with_the_new_one_also_when_control_ended_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_agent, enrolled) = add_box(&control, "pause").await;
    let waiting = written(&control).await;
    let work = (
        Work::Placement { member: true },
        vec![waiting.acts[0].target.clone()],
    );
    let mut placement = crate::jobs::begin::draft(&control.core, work, Actor::Owner);
    let store = &control.core.store;
    store.create_job(&placement).await.unwrap();
    placement.acts[0].outcome = Some(ActOutcome {
        container: Some("1+".into()),
        ..ActOutcome::done()
    });
    let now = control.core.clock.now();
    (placement.state, placement.ended) = (JobState::Done, Some(now));
    store.save_job(&placement, &[0], Vec::new(), now).await.unwrap();

    let (control, agent) = restart(control, dir.path(), &enrolled).await;
    assert_eq!(over(&control, waiting.id).await.state, JobState::Done);
    let calls = agent.calls.lock().unwrap().clone();
    let restarts = calls.iter().filter(|call| call.starts_with("job restart"));
    assert_eq!(restarts.collect::<Vec<_>>(), ["job restart 1+"]);
    control.shutdown().await;
}

#[tokio::test]
async fn what_was_written_off_is_taken_up_again_and_not_as_often_as_a_device_likes() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_agent, enrolled) = add_box(&control, "host").await;
    let lost = ActOutcome {
        lost: true,
        ..ActOutcome::failed(Code::NoAnswer.because("It does not say what came of it."))
    };
    let (first, second) = (ended(&control, lost.clone()).await, ended(&control, lost).await);
    let request = JobRequest::Action {
        container: "1".into(),
        action: ContainerAction::Restart,
    };
    enrolled.jobs.end(first.id, request.clone());
    let _agent = enrolled.dial("box").await.unwrap();
    eventually("it is taken up again", async || {
        job(&control, first.id).await.state == JobState::Done
    })
    .await;
    // The device claims as many jobs as it may in a day.
    let device = control.device("box").await.id;
    let now = control.core.clock.now();
    while control.core.cache.lock().takes_claim(device, now) {}
    let over = ended(&control, ActOutcome::done()).await;
    for id in [second.id, over.id] {
        enrolled.jobs.end(id, request.clone());
    }
    let agent = enrolled.dial("box").await.unwrap();
    // It is asked about one job after the other, in the order of their ids.
    eventually("the last one may be forgotten", async || {
        agent.jobs.list().iter().all(|report| report.id != over.id)
    })
    .await;
    assert_eq!(job(&control, second.id).await.state, JobState::Failed);
    control.shutdown().await;
}
