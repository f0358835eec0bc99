//! The members of a pod follow their pause container, and the agent moves to the network of its mode.

use crate::{
    fake::Hang,
    pods::{Pod, container},
    watching::eventually,
};
use flotilla_engine::{
    ActionError, Destination, Fuse, Move, NetworkGone, OwnContainer, carry_out, start_stragglers,
};
use flotilla_protocol::{device::NetworkMode, inventory::ContainerAction::Stop};
use futures_util::future::join_all;
use serde_json::json;
use std::{fs, time::Duration};

#[tokio::test]
async fn the_agent_ends_when_its_network_is_gone_and_the_engine_starts_it_again() {
    let pod = Pod::start().await;
    let engine = pod.engine.clone();
    let keeping = tokio::spawn(async move { engine.keep_pod().await });
    let mut pause = container(&pod.pause, "flotilla-pause", "bridge");
    for (second, address) in [(10, "127.0.0.1"), (20, "192.0.2.1")] {
        pause["State"] = json!({"Status": "running", "StartedAt": format!("2026-03-01T12:00:{second}Z")});
        pause["NetworkSettings"] = json!({"Networks": {"bridge": {"IPAddress": address}}});
        pod.fake.put(&pause);
        let id = format!("c{second}");
        pod.fake.put(&container(&id, &id, "bridge"));
        pod.knows(&id).await;
    }
    let end = tokio::time::timeout(Duration::from_secs(10), keeping).await;
    assert_eq!(end.unwrap().unwrap(), NetworkGone);
    assert_eq!(
        pod.fake.requests("POST"),
        0,
        "the members are restarted by the agent that comes back"
    );
}

#[tokio::test]
async fn all_members_are_sent_after_a_pause_container_that_was_recreated() {
    let pod = Pod::start().await;
    let engine = pod.engine.clone();
    let keeping = tokio::spawn(async move { engine.keep_pod().await });
    tokio::task::yield_now().await;
    pod.fake.put(&container("c1", "mark", "bridge"));
    pod.knows("c1").await;
    pod.fake.remove(&pod.pause);
    let successor = "c".repeat(64);
    pod.fake.put(&container(&successor, "flotilla-pause", "bridge"));
    eventually(|| pod.fake.named("flotilla-agent-mover").is_some()).await;
    let mover = pod.fake.named("flotilla-agent-mover").unwrap();
    let words = json!(["move", "--to", format!("pause:{successor}"), pod.agent, "m1"]);
    assert_eq!(mover["Config"]["Cmd"], words);
    assert_eq!(mover["HostConfig"]["NetworkMode"], "none");
    let id = mover["Id"].as_str().unwrap();
    pod.knows(id).await;
    assert_eq!(pod.engine.act(id, Stop).await, Err(ActionError::OwnContainer));
    eventually(|| pod.fake.requests("/start") == 1).await;
    keeping.abort();

    let order = Move {
        to: Destination::Pause(successor.clone()),
        agent: pod.agent.clone(),
        members: vec!["m1".to_owned()],
        stopped: Vec::new(),
    };
    carry_out(&pod.fake.sockets(), &order).await.unwrap();
    for name in ["flotilla-agent", "web1"] {
        assert_eq!(pod.network_of(name), format!("container:{successor}"), "{name}");
    }
}

#[tokio::test]
async fn a_pause_container_starts_those_that_its_engine_started_too_early() {
    let pod = Pod::start().await;
    let mut agent = pod.fake.named("flotilla-agent").unwrap();
    let mut stopped = container("m2", "web2", &pod.shared());
    stopped["HostConfig"]["RestartPolicy"] = json!({"Name": "always"});
    stopped["State"] = json!({"Status": "exited", "ExitCode": 0, "Error": ""});
    agent["State"] = json!({"Status": "exited", "ExitCode": 128, "Error": "cannot join network of a non running container"});
    for container in [agent, stopped] {
        pod.fake.put(&container);
    }
    // The pause container sees its own files, and no volume of the agent's.
    let dir = tempfile::tempdir().unwrap();
    let mounts = format!(
        "1 0 8:1 /docker/containers/{}/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
        pod.pause
    );
    fs::write(dir.path().join("mountinfo"), mounts).unwrap();
    start_stragglers(&pod.fake.sockets(), &OwnContainer::of_process(dir.path())).await;
    let running = [
        "flotilla-agent running",
        "flotilla-pause running",
        "web1 running",
        "web2 exited",
    ];
    assert_eq!(
        pod.fake.containers(),
        running,
        "a member that was stopped on purpose stays so"
    );
}

#[tokio::test]
async fn an_agent_moves_out_of_its_pod_and_back_into_one() {
    let pod = Pod::start().await;
    pod.engine
        .change_mode(NetworkMode::Pause, &Fuse::default())
        .await
        .unwrap();
    assert_eq!(pod.fake.requests("POST"), 0, "it is there already");
    let order = |to, agent: &str| Move {
        to: Destination::Mode(to),
        agent: agent.to_owned(),
        members: Vec::new(),
        stopped: Vec::new(),
    };
    let sockets = pod.fake.sockets();
    carry_out(&sockets, &order(NetworkMode::Host, &pod.agent))
        .await
        .unwrap();
    assert_eq!(pod.network_of("flotilla-agent"), "host");
    assert!(
        pod.fake.named("flotilla-pause").is_some(),
        "web1 still uses its network"
    );

    pod.fake.remove("m1");
    pod.fake.remove(&pod.pause);
    let host = pod.fake.named("flotilla-agent").unwrap()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    pod.fake.refuse_start("flotilla-agent", "no such device");
    let error = carry_out(&sockets, &order(NetworkMode::Pause, &host))
        .await
        .unwrap_err();
    assert_eq!(error, ActionError::Refused("no such device".to_owned()));
    assert_eq!(pod.fake.containers(), ["flotilla-agent running"]);
    assert_eq!(pod.network_of("flotilla-agent"), "host");

    carry_out(&sockets, &order(NetworkMode::Pause, &host))
        .await
        .unwrap();
    let pause = pod.fake.named("flotilla-pause").unwrap();
    let id = pause["Id"].as_str().unwrap();
    assert_eq!(pod.network_of("flotilla-agent"), format!("container:{id}"));
    assert_eq!(pause["Config"]["Cmd"], json!(["pause"]));

    let member = pod.fake.named("flotilla-agent").unwrap()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    carry_out(&sockets, &order(NetworkMode::Bridge, &member))
        .await
        .unwrap();
    assert_eq!(
        pod.fake.containers(),
        ["flotilla-agent running"],
        "the pause container is not needed"
    );
}

/// Kills a mover at this request; returns whether the next one, which its engine starts, moved the agent.
async fn killed(hang: Hang) -> bool {
    let pod = Pod::start().await;
    let (sockets, order) = (
        pod.fake.sockets(),
        Move {
            to: Destination::Mode(NetworkMode::Host),
            agent: pod.agent.clone(),
            members: Vec::new(),
            stopped: Vec::new(),
        },
    );
    pod.fake.hang(hang);
    tokio::select! {
        outcome = carry_out(&sockets, &order) => panic!("{hang:?}: {outcome:?}"),
        () = eventually(|| pod.fake.hangs()) => {}
    }
    let mut mover = container("c8", "flotilla-agent-mover", "none");
    mover["State"] = json!({"Status": "running", "FinishedAt": "2026-03-01T12:00:30Z"});
    pod.fake.put(&mover);
    let outcome = carry_out(&sockets, &order).await;
    let whole = [
        "flotilla-agent running",
        "flotilla-agent-mover running",
        "flotilla-pause running",
        "web1 running",
    ];
    assert_eq!(pod.fake.containers(), whole, "{hang:?}: {outcome:?}");
    let is_moved = pod.network_of("flotilla-agent") == "host";
    assert_eq!(outcome.is_ok(), is_moved, "{hang:?}: {outcome:?}");
    is_moved
}

#[tokio::test]
async fn a_mover_that_is_killed_at_any_request_is_finished_or_undone_by_the_next_one() {
    // Created, stopped, renamed twice, started, removed.
    let moments = (1..=6).flat_map(|request| [Hang::Before(request), Hang::After(request)]);
    let went_on = join_all(moments.map(killed)).await;
    // It goes on from where the old one was set aside.
    assert_eq!(went_on, [vec![false; 5], vec![true; 7]].concat());
}
