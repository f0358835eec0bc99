//! Jobs at a fake agent: they begin, links end meanwhile, and their outcomes are answered and recorded.

use super::*;
use crate::control::tests::modes::add_box;
use axum::routing::put;
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{
    activity::{Action, Activity, Actor},
    agent::ItemRef,
    device::NetworkMode,
    id::JobId,
    inventory::{Item, Kind},
    job::{JOBS_PATH, JobProgress, JobReport, JobRequest, JobState},
    stream::{End, Streaming as _},
};
use std::collections::BTreeMap;
use tokio::{sync::watch, time::timeout};

/// The jobs of a fake agent. They survive its links.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeJobs {
    reports: Arc<Mutex<BTreeMap<JobId, JobReport>>>,
    /// While true, jobs do not end.
    pub(super) slow: watch::Sender<bool>,
    /// While true, the agent tells also the outcome of a job as an item, and keeps the stream open.
    pub(super) chatty: watch::Sender<bool>,
    /// While true, the agent refuses to forget jobs.
    stubborn: watch::Sender<bool>,
    /// The most jobs that went on at once.
    pub(super) busiest: Arc<AtomicUsize>,
}

impl FakeJobs {
    pub(super) fn routes(&self, calls: &Arc<Mutex<Vec<String>>>) -> Router {
        let (start, follow, end, list) = (self.clone(), self.clone(), self.clone(), self.clone());
        let (calls, forget_calls) = (calls.clone(), calls.clone());
        Router::new()
            .route(JOBS_PATH, get(async move || Json(list.list())))
            .route(
                &format!("{JOBS_PATH}/{{id}}"),
                put(
                    async move |Path(id): Path<JobId>, Json(request): Json<JobRequest>| {
                        calls.lock().unwrap().push(call_name(&request));
                        Json(start.start(id, request))
                    },
                )
                .delete(async move |Path(id): Path<JobId>| {
                    forget_calls.lock().unwrap().push("forget".to_owned());
                    end.forget(id)
                }),
            )
            .route(
                JobProgress::PATH,
                post(async move |Path(id): Path<JobId>, _: Opened<JobProgress>| {
                    let jobs = follow.clone();
                    answer::<JobProgress, _>(CancellationToken::new(), |mut out| async move {
                        let mut chatty = jobs.chatty.subscribe();
                        let outcome = jobs.follow(id).await;
                        if *chatty.borrow() {
                            out.send(&outcome).await.unwrap();
                            chatty.wait_for(|chatty| !chatty).await.unwrap();
                        }
                        End::Finished { outcome }
                    })
                }),
            )
    }

    fn forget(&self, id: JobId) -> (StatusCode, Json<Value>) {
        if *self.stubborn.borrow() {
            let problem = Code::Unavailable.because("The disk is full.");
            return (StatusCode::SERVICE_UNAVAILABLE, Json(json!(problem)));
        }
        let forgotten = self.reports.lock().unwrap().remove(&id);
        (StatusCode::OK, Json(json!(forgotten)))
    }

    pub(super) fn list(&self) -> Vec<JobReport> {
        self.reports.lock().unwrap().values().cloned().collect()
    }

    fn start(&self, id: JobId, request: JobRequest) -> JobReport {
        let report = JobReport {
            id,
            request,
            state: JobState::Running,
            target: Some("web".into()),
            underway: true,
            interrupted: false,
            began: "2026-11-21T14:02:00Z".parse().unwrap(),
            ended: None,
            container: None,
            problem: None,
            lines: vec!["web is stopped.".into()],
            next_line: 1,
        };
        let mut reports = self.reports.lock().unwrap();
        let report = reports.entry(id).or_insert_with(|| refuse_pod(report)).clone();
        let running = reports.values().filter(|report| !report.state.is_over());
        self.busiest.fetch_max(running.count(), Ordering::Relaxed);
        report
    }

    /// Adds a job that ended while the device had no link.
    pub(super) fn end(&self, id: JobId, request: JobRequest) {
        let report = self.start(id, request);
        let report = JobReport {
            state: JobState::Done,
            container: None,
            ..report
        };
        self.reports.lock().unwrap().insert(id, report);
    }

    async fn follow(&self, id: JobId) -> JobReport {
        self.slow.subscribe().wait_for(|slow| !slow).await.unwrap();
        let mut reports = self.reports.lock().unwrap();
        let report = reports.get_mut(&id).unwrap();
        if report.state == JobState::Running {
            report.state = JobState::Done;
            if let JobRequest::Placement { container, .. } = &report.request {
                report.container = Some(format!("{container}+"));
            }
        }
        report.clone()
    }

    /// Adds a placement that an earlier run of control began, and that was interrupted and undone.
    fn undo(&self, id: JobId) {
        let request = JobRequest::Placement {
            container: "1".into(),
            member: true,
        };
        let report = JobReport {
            state: JobState::Undone,
            interrupted: true,
            problem: Some(Code::EngineRefused.because("Recreating web was interrupted.")),
            ..self.start(id, request)
        };
        self.reports.lock().unwrap().insert(id, report);
    }

    /// Marks all jobs as interrupted by an agent that ended and took them up again.
    fn interrupt(&self) {
        let mut reports = self.reports.lock().unwrap();
        reports.values_mut().for_each(|report| report.interrupted = true);
    }
}

/// Makes a change to pause mode fail: the image is gone.
fn refuse_pod(report: JobReport) -> JobReport {
    if report.request
        == (JobRequest::ModeChange {
            mode: NetworkMode::Pause,
        })
    {
        return JobReport {
            state: JobState::Failed,
            underway: false,
            problem: Some(Code::EngineRefused.because("the image is gone.")),
            ..report
        };
    }
    report
}

fn call_name(request: &JobRequest) -> String {
    match request {
        JobRequest::Placement { container, member } => format!("pod {container} {member}"),
        JobRequest::ModeChange { mode } => format!("move {mode}"),
        JobRequest::Action { container, action } => format!("job {} {container}", action.as_str()),
        JobRequest::Recreation { container } => format!("recreate {container}"),
        JobRequest::Removal { container, volumes } => format!("remove {container} {volumes}"),
        JobRequest::Unknown => "unknown".to_owned(),
    }
}

impl Agent {
    /// Reports a recreated container after its job is over: reports and job calls take different ways.
    pub(super) async fn report_anew(&self, id: &str, name: &str) {
        let made = Some(format!("{id}+"));
        eventually("it is over", async || {
            self.jobs.list().iter().any(|job| job.container == made)
        })
        .await;
        let items = vec![ItemRef {
            kind: Kind::Container,
            key: id.to_owned(),
        }];
        self.reports.send(Report::Remove { items }).await.unwrap();
        let items = vec![Item::Container(container(&format!("{id}+"), name))];
        self.reports.send(Report::Upsert { items }).await.unwrap();
    }
}

async fn place(control: &Control, member: bool) -> Value {
    let body = format!(r#"{{"member":{member}}}"#);
    control
        .ask("POST", "/devices/box/containers/web/pod", &body)
        .await
}

pub(super) async fn last_activity(control: &Control) -> Activity {
    let log: List<Activity> =
        serde_json::from_value(control.ask("GET", "/activity?limit=1", "").await).unwrap();
    log.items.into_iter().next().unwrap()
}

#[tokio::test]
async fn an_answer_that_it_is_done_means_that_lists_know_it() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "pause").await;
    let (answer, ()) = tokio::join!(place(&control, true), async {
        eventually("it is over", async || {
            agent.jobs.list().iter().any(|job| job.state.is_over())
        })
        .await;
        // The report of the container arrives later than the job's outcome.
        agent.report_anew("1", "web").await;
    });
    assert_eq!(answer, json!({}));
    let started = control.ask("POST", "/devices/box/containers/web/start", "").await;
    assert_eq!(started, json!({}));
    assert!(agent.calls.lock().unwrap().contains(&"start 1+".to_owned()));
    eventually("the device may forget it", async || agent.jobs.list().is_empty()).await;
    control.shutdown().await;
}

#[tokio::test]
async fn a_link_that_ends_does_not_cost_the_caller_the_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "pause").await;
    agent.jobs.slow.send_replace(true);
    let answer = async {
        let answer = place(&control, true).await;
        assert_eq!(answer, json!({}));
    };
    let again = async {
        eventually("it is begun", async || !agent.jobs.list().is_empty()).await;
        agent.link.abort();
        agent.jobs.interrupt();
        agent.jobs.slow.send_replace(false);
        let agent = enrolled.dial("box").await.unwrap();
        agent.reports.send(hello()).await.unwrap();
        agent.report_anew("1", "web").await;
        agent
    };
    let ((), again) = tokio::join!(answer, again);
    let entry = last_activity(&control).await;
    assert_eq!(
        entry.details,
        "Put into the pod. It was recreated for that. The agent had ended meanwhile, and finished it afterwards."
    );
    assert_eq!(
        (entry.actor, entry.target.as_deref()),
        (Actor::Owner, Some("web"))
    );
    eventually("the device may forget it", async || again.jobs.list().is_empty()).await;
    control.shutdown().await;
}

#[tokio::test]
async fn it_is_recorded_also_when_the_caller_went_away_and_asking_again_waits_for_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "pause").await;
    agent.jobs.slow.send_replace(true);
    let left = timeout(Duration::from_millis(300), place(&control, true)).await;
    assert!(left.is_err());
    let (answer, ()) = tokio::join!(place(&control, true), async {
        agent.jobs.slow.send_replace(false);
        agent.report_anew("1", "web").await;
    });
    assert_eq!(answer, json!({}));
    let calls = agent.calls.lock().unwrap().clone();
    assert_eq!(
        calls.iter().filter(|call| *call == "pod 1 true").count(),
        1,
        "{calls:?}"
    );
    assert!(last_activity(&control).await.succeeded);
    control.shutdown().await;
}

#[tokio::test]
async fn what_an_earlier_control_began_is_recorded_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "pause").await;
    let id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
    agent.link.abort();
    enrolled.jobs.undo(id);
    let agent = enrolled.dial("box").await.unwrap();
    agent.reports.send(hello()).await.unwrap();
    eventually("the device may forget it", async || agent.jobs.list().is_empty()).await;
    let entry = last_activity(&control).await;
    assert_eq!(
        entry.details,
        "Recreating web was interrupted. The agent had ended meanwhile, and undid it afterwards."
    );
    assert_eq!(entry.actor, Actor::Device { name: "box".into() });
    assert!(!entry.succeeded && entry.target.as_deref() == Some("web"));
    control.shutdown().await;
}

#[tokio::test]
async fn a_device_that_does_not_forget_a_job_is_told_again_only_on_its_next_link() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "pause").await;
    agent.link.abort();
    enrolled
        .jobs
        .undo("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap());
    enrolled.jobs.stubborn.send_replace(true);
    for links in 1..=2 {
        let agent = enrolled.dial("box").await.unwrap();
        agent.reports.send(hello()).await.unwrap();
        let forgets = || {
            let calls = agent.calls.lock().unwrap();
            calls.iter().filter(|call| *call == "forget").count()
        };
        eventually("it is told to", async || forgets() == 1).await;
        // Twenty of these calls take longer than a second attempt to have the job forgotten would.
        for _ in 0..20 {
            assert_eq!(moves_recorded(&control).await, 1, "on link {links}");
        }
        assert_eq!(forgets(), 1);
        agent.link.abort();
    }
    control.shutdown().await;
}

async fn moves_recorded(control: &Control) -> usize {
    let log: List<Activity> =
        serde_json::from_value(control.ask("GET", "/activity?limit=50", "").await).unwrap();
    let moved = |entry: &&Activity| entry.action == Action::ContainerMoved;
    log.items.iter().filter(moved).count()
}
