//! A container is recreated by a process that is killed before each request to the engine, and after each.

use crate::{
    fake::Hang,
    pods::{Pod, container},
    watching::eventually,
};
use flotilla_engine::{ActionError, Fuse, Ledger, Swap};
use flotilla_protocol::inventory::ContainerAction;
use futures_util::future::join_all;
use serde_json::json;
use std::io;

/// A journal in memory.
#[derive(Debug, Default)]
struct Journal {
    kept: Option<Swap>,
    told: Vec<String>,
    canceled: bool,
    full: bool,
    fuse: Fuse,
}

impl Ledger for Journal {
    async fn keep(&mut self, swap: &Swap) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.kept = Some(swap.clone());
        Ok(())
    }

    fn tell(&mut self, act: &str) {
        self.told.push(act.to_owned());
    }

    fn is_canceled(&self) -> bool {
        self.canceled
    }

    fn fuse(&mut self) -> &mut Fuse {
        &mut self.fuse
    }
}

async fn plan(pod: &Pod, id: &str) -> Swap {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    pod.engine.plan_placement(id, true, now).await.unwrap().unwrap()
}

async fn scene() -> Pod {
    let pod = Pod::start().await;
    let mut web = container("c9", "web2", "bridge");
    web["Config"]["StopTimeout"] = json!(1);
    pod.fake.put(&web);
    pod.knows("c9").await;
    pod
}

const WHOLE: [&str; 4] = [
    "flotilla-agent running",
    "flotilla-pause running",
    "web1 running",
    "web2 running",
];

/// Kills the process at this request; returns whether the next one goes on.
async fn killed(hang: Hang) -> bool {
    let pod = scene().await;
    let mut journal = Journal::default();
    let swap = plan(&pod, "c9").await;
    pod.fake.hang(hang);
    tokio::select! {
        outcome = pod.engine.begin(swap, &mut journal) => panic!("{hang:?}: {outcome:?}"),
        () = eventually(|| pod.fake.hangs()) => {}
    }
    let kept = journal.kept.take().unwrap();
    let outcome = pod.engine.resume(kept, &mut journal).await;
    assert_eq!(pod.fake.containers(), WHOLE, "{hang:?}: {outcome:?}");
    let is_in_pod = pod.network_of("web2") == pod.shared();
    assert_eq!(outcome.is_ok(), is_in_pod, "{hang:?}: {outcome:?}");
    if let Err(error) = outcome {
        assert!(error.to_string().contains("was interrupted"), "{error}");
    }
    is_in_pod
}

#[tokio::test]
async fn killed_at_any_request_it_is_finished_or_undone_by_the_next_one() {
    // Created, stopped, renamed twice, started, removed.
    let moments = (1..=6).flat_map(|request| [Hang::Before(request), Hang::After(request)]);
    let went_on = join_all(moments.map(killed)).await;
    // It goes on from where the old one was set aside.
    assert_eq!(went_on, [vec![false; 5], vec![true; 7]].concat());
}

#[tokio::test]
async fn without_a_journal_nothing_is_begun() {
    let pod = scene().await;
    let mut journal = Journal {
        full: true,
        ..Journal::default()
    };
    let swap = plan(&pod, "c9").await;
    let refused = pod.engine.begin(swap, &mut journal).await;
    assert!(matches!(refused, Err(ActionError::Unwritten(_))), "{refused:?}");
    assert_eq!(pod.fake.requests("POST"), 0);
}

#[tokio::test]
async fn a_canceled_one_is_put_back() {
    let pod = scene().await;
    let mut journal = Journal {
        canceled: true,
        ..Journal::default()
    };
    let swap = plan(&pod, "c9").await;
    let canceled = pod.engine.begin(swap, &mut journal).await;
    assert_eq!(canceled, Err(ActionError::Canceled("web2".into())));
    assert_eq!(pod.fake.containers(), WHOLE);
    assert_eq!(pod.network_of("web2"), "bridge");
}

#[tokio::test]
async fn a_paused_container_is_to_be_unpaused_first() {
    let pod = scene().await;
    let mut web = container("c9", "web2", "bridge");
    web["State"] = json!({"Status": "paused"});
    pod.fake.put(&web);
    let paused = Err(ActionError::Paused("web2".into()));
    assert_eq!(pod.engine.place_in_pod("c9", true).await, paused);
    assert_eq!(
        pod.engine.act("c9", ContainerAction::Restart).await,
        paused,
        "it would run"
    );
    assert_eq!(pod.fake.requests("POST"), 0);
    pod.engine.act("c9", ContainerAction::Stop).await.unwrap();

    let pod = Pod::start().await;
    let mut member = container("c9", "web2", &pod.shared());
    member["State"] = json!({"Status": "paused"});
    member["Config"]["Labels"] = json!({"io.flotilla.before-pod": r#"{"mode":"bridge"}"#});
    pod.fake.put(&member);
    pod.knows("c9").await;
    assert_eq!(pod.engine.place_in_pod("c9", false).await, paused);
    assert_eq!(pod.fake.requests("POST"), 0);
}

#[tokio::test]
async fn a_policy_that_gives_up_after_some_failures_comes_back_with_its_count() {
    let pod = scene().await;
    let policy = json!({"Name": "on-failure", "MaximumRetryCount": 3});
    let mut web = container("c8", "web3", "bridge");
    web["HostConfig"]["RestartPolicy"] = policy.clone();
    web["RestartCount"] = json!(2);
    web["State"] = json!({"Status": "running", "ExitCode": 0});
    pod.fake.put(&web);
    pod.knows("c8").await;
    for member in [true, false] {
        let id = pod.fake.named("web3").unwrap()["Id"].as_str().unwrap().to_owned();
        pod.knows(&id).await;
        pod.engine.place_in_pod(&id, member).await.unwrap();
        let web = pod.fake.named("web3").unwrap();
        assert_eq!(web["HostConfig"]["RestartPolicy"], policy, "member: {member}");
        assert_eq!(web["State"]["Status"], "running");
    }
}

#[tokio::test]
async fn one_that_was_healthy_has_to_get_healthy_again() {
    let pod = scene().await;
    let mut web = container("c9", "web2", "bridge");
    web["State"] = json!({"Status": "running", "Health": {"Status": "healthy"}});
    web["Config"]["Healthcheck"] =
        json!({"Test": ["CMD", "true"], "Interval": 1_000_000, "Timeout": 1_000_000, "Retries": 1});
    pod.fake.put(&web);
    pod.fake.fail_check("web2");
    let refused = pod.engine.place_in_pod("c9", true).await;
    assert_eq!(refused, Err(ActionError::Unhealthy("web2".into())));
    assert_eq!(pod.fake.containers(), WHOLE);
    assert_eq!(pod.fake.named("web2").unwrap()["Id"], "c9");
}

#[tokio::test]
async fn what_it_does_is_told_step_by_step() {
    let pod = scene().await;
    let mut journal = Journal::default();
    let swap = plan(&pod, "c9").await;
    let new = pod.engine.begin(swap, &mut journal).await.unwrap();
    assert_eq!(pod.fake.named("web2").unwrap()["Id"], new);
    let expected = [
        "web2 is made anew.",
        "web2 is stopped, which may take 1 s.",
        "The old web2 is set aside.",
        "The new web2 gets its name.",
        "The new web2 is started, and has to show that it works.",
        "The old web2 is removed.",
    ];
    assert_eq!(journal.told, expected);
}
