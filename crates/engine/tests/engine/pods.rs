//! Pods: which containers belong to one, and how containers join and leave.

use crate::{
    fake::{Fake, OLD_DOCKER},
    watching::{follow_from, inventory},
};
use flotilla_engine::{ActionError, Engine, Fuse, OwnContainer};
use flotilla_protocol::{
    Code, Problem,
    device::NetworkMode,
    inventory::{
        ContainerAction::{Restart, Start, Stop},
        Inventory, PodRole,
    },
};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::DropGuard;

/// An engine with a pod: its pause container, the agent and one member.
pub(crate) struct Pod {
    pub(crate) fake: Fake,
    pub(crate) engine: Engine,
    pub(crate) pause: String,
    pub(crate) agent: String,
    _guard: DropGuard,
    _dir: TempDir,
}

impl Pod {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start(dir.path(), OLD_DOCKER);
        let [pause, agent] = ["a", "b"].map(|digit| digit.repeat(64));
        fake.put(&container(&pause, "flotilla-pause", "bridge"));
        let mut own = container(&agent, "flotilla-agent", &format!("container:{pause}"));
        own["HostConfig"]["RestartPolicy"] = json!({"Name": "unless-stopped"});
        own["Config"]["Entrypoint"] = json!(["/flotilla-agent"]);
        own["Mounts"] = json!([
            {"Type": "volume", "Name": "flotilla-agent", "Source": "/v/flotilla-agent/_data", "Destination": "/var/lib/flotilla"},
            {"Type": "bind", "Source": "/run/docker.sock", "Destination": dir.path().join("docker.sock")},
        ]);
        fake.put(&own);
        fake.put(&container("m1", "web1", &format!("container:{pause}")));
        let (engine, guard) = follow_from(&fake, process(dir.path(), &pause));
        let pod = Self {
            fake,
            engine,
            pause,
            agent,
            _guard: guard,
            _dir: dir,
        };
        pod.inventory().await;
        pod
    }

    pub(crate) async fn inventory(&self) -> Inventory {
        inventory(&self.engine).await
    }

    /// Waits until the inventory has a container.
    pub(crate) async fn knows(&self, id: &str) {
        let begun = std::time::Instant::now();
        while !self.inventory().await.containers.iter().any(|it| it.id == id) {
            assert!(begun.elapsed() < Duration::from_secs(10), "{id} does not show");
        }
    }

    pub(crate) fn network_of(&self, name: &str) -> String {
        let container = self.fake.named(name).unwrap();
        container["HostConfig"]["NetworkMode"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn shared(&self) -> String {
        format!("container:{}", self.pause)
    }
}

/// A process in a container whose files are the pause container's, and whose volume is the agent's.
fn process(dir: &Path, pause: &str) -> OwnContainer {
    let mounts = format!(
        "1 0 8:1 /docker/containers/{pause}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n\
         2 0 8:1 /docker/volumes/flotilla-agent/_data /var/lib/flotilla rw - ext4 /dev/sda1 rw\n"
    );
    let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0\n";
    fs::create_dir_all(dir.join("proc/net")).unwrap();
    fs::write(dir.join("proc/mountinfo"), mounts).unwrap();
    fs::write(dir.join("proc/net/tcp"), table).unwrap();
    OwnContainer::of_process(dir.join("proc"))
}

pub(crate) fn container(id: &str, name: &str, network: &str) -> Value {
    json!({"Id": id, "Name": format!("/{name}"), "Config": {"Image": "nginx:1"}, "HostConfig": {"NetworkMode": network}})
}

fn listening(id: &str, name: &str, network: &str, port: &str) -> Value {
    let mut container = container(id, name, network);
    container["Config"]["ExposedPorts"] = json!({port: {}});
    container
}

#[tokio::test]
async fn the_inventory_says_who_is_in_the_pod() {
    let pod = Pod::start().await;
    pod.fake.put(&container("c9", "stranger", "bridge"));
    pod.knows("c9").await;
    let shown: Vec<_> = pod
        .inventory()
        .await
        .containers
        .into_iter()
        .map(|container| (container.name, container.pod, container.is_agent))
        .collect();
    let (pause, member) = (Some(PodRole::Pause), Some(PodRole::Member));
    let expected = [
        ("flotilla-agent", member, true),
        ("flotilla-pause", pause, false),
        ("stranger", None, false),
        ("web1", member, false),
    ];
    assert_eq!(
        shown,
        expected.map(|(name, role, agent)| (name.to_owned(), role, agent))
    );
}

#[tokio::test]
async fn a_container_is_put_into_the_pod_and_taken_out_again() {
    let pod = Pod::start().await;
    let mut web = listening("c9", "web2", "bridge", "90/tcp");
    web["HostConfig"]["PortBindings"] = json!({"90/tcp": [{"HostIp": "", "HostPort": "9090"}]});
    pod.fake.put(&web);
    pod.engine.place_in_pod("c9", true).await.unwrap();
    assert_eq!(
        pod.fake.containers(),
        [
            "flotilla-agent running",
            "flotilla-pause running",
            "web1 running",
            "web2 running"
        ]
    );
    let member = pod.fake.named("web2").unwrap();
    assert_eq!(pod.network_of("web2"), pod.shared());
    assert_eq!(member["HostConfig"]["PortBindings"], json!(null));

    let id = member["Id"].as_str().unwrap();
    pod.knows(id).await;
    pod.engine.place_in_pod(id, false).await.unwrap();
    let free = pod.fake.named("web2").unwrap();
    assert_eq!(pod.network_of("web2"), "bridge");
    assert_eq!(
        free["HostConfig"]["PortBindings"],
        web["HostConfig"]["PortBindings"]
    );
    assert_eq!(free["Config"]["Labels"], json!({}));
}

/// Labels by which an image would pass for the agent, decide its containers' network, and join another stack.
pub(crate) fn hostile_labels() -> Value {
    json!({
        "app.flotilla.agent": "true", "io.flotilla.pod": "pause", "io.flotilla.before-pod": r#"{"mode":"host"}"#,
        "com.docker.compose.project": "media", "com.docker.compose.service": "web", "com.docker.compose.container-number": "1",
    })
}

#[tokio::test]
async fn an_image_decides_neither_where_its_containers_go_nor_that_they_are_ours() {
    let pod = Pod::start().await;
    pod.fake
        .load_labeled_image("sha256:bad", "evil:1", &hostile_labels());
    let mut evil = container("c9", "evil", "bridge");
    evil["Image"] = json!("sha256:bad");
    evil["Config"] = json!({"Image": "evil:1", "Labels": hostile_labels()});
    pod.fake.put(&evil);
    pod.knows("c9").await;
    let shown = pod.inventory().await;
    let seen = shown.containers.iter().find(|it| it.id == "c9").unwrap();
    assert_eq!((seen.is_agent, &seen.stack, &seen.service), (false, &None, &None));
    assert_eq!(shown.stacks, []);
    pod.engine.act("c9", Restart).await.unwrap();

    pod.engine.place_in_pod("c9", true).await.unwrap();
    let member = pod.fake.named("evil").unwrap()["Id"].as_str().unwrap().to_owned();
    pod.knows(&member).await;
    pod.engine.place_in_pod(&member, false).await.unwrap();
    assert_eq!(
        pod.network_of("evil"),
        "bridge",
        "where it was, and not where its image wants it"
    );
    let free = pod.fake.named("evil").unwrap()["Id"].as_str().unwrap().to_owned();
    pod.knows(&free).await;
    pod.engine.act(&free, Stop).await.unwrap();
}

#[tokio::test]
async fn a_member_that_was_made_of_a_hostile_image_comes_out_into_the_engines_own_network() {
    let pod = Pod::start().await;
    pod.fake
        .load_labeled_image("sha256:bad", "evil:1", &hostile_labels());
    let mut evil = container("c9", "evil", &pod.shared());
    evil["Image"] = json!("sha256:bad");
    evil["Config"] = json!({"Image": "evil:1", "Labels": hostile_labels()});
    pod.fake.put(&evil);
    pod.knows("c9").await;
    pod.engine.place_in_pod("c9", false).await.unwrap();
    assert_eq!(pod.network_of("evil"), "bridge");
}

#[tokio::test]
async fn a_label_that_cannot_be_read_is_named_before_anything_is_stopped() {
    let pod = Pod::start().await;
    let mut web = container("c9", "web2", &pod.shared());
    web["Config"]["Labels"] = json!({"io.flotilla.before-pod": "[".repeat(10_000)});
    pod.fake.put(&web);
    pod.knows("c9").await;
    let problem = Problem::from(pod.engine.place_in_pod("c9", false).await.unwrap_err());
    assert_eq!(problem.code, Code::Conflict);
    assert!(
        problem.message.contains("can't be read") && problem.message.len() < 400,
        "{problem}"
    );
    assert_eq!(pod.fake.requests("POST") + pod.fake.requests("DELETE"), 0);
}

#[tokio::test]
async fn a_container_that_cannot_start_in_the_pod_is_put_back() {
    let pod = Pod::start().await;
    pod.fake.put(&container("c9", "web2", "bridge"));
    let before = pod.fake.containers();
    pod.fake.refuse_start("web2", "no space left on device");
    let error = pod.engine.place_in_pod("c9", true).await.unwrap_err();
    assert_eq!(error, ActionError::Refused("no space left on device".to_owned()));
    assert_eq!(pod.fake.containers(), before);
    assert_eq!(pod.fake.named("web2").unwrap()["Id"], "c9");

    pod.fake.end_at_once("web2", 98);
    let problem = Problem::from(pod.engine.place_in_pod("c9", true).await.unwrap_err());
    assert_eq!(problem.code, Code::EngineRefused);
    assert!(problem.message.contains("web2 ended with code 98"), "{problem}");
    assert_eq!(pod.fake.containers(), before);
    assert_eq!(pod.fake.named("web2").unwrap()["Id"], "c9");
}

#[tokio::test]
async fn a_stopped_container_is_moved_without_being_started() {
    let pod = Pod::start().await;
    let mut web = container("c9", "web2", "bridge");
    web["State"] = json!({"Status": "exited", "ExitCode": 0});
    pod.fake.put(&web);
    pod.engine.place_in_pod("c9", true).await.unwrap();
    assert_eq!(pod.network_of("web2"), pod.shared());
    assert_eq!(pod.fake.requests("/start"), 0);
}

#[tokio::test]
async fn what_could_not_be_put_back_is_not_moved() {
    let pod = Pod::start().await;
    let mut web = container("c9", "web2", "bridge");
    web["HostConfig"]["AutoRemove"] = json!(true);
    pod.fake.put(&web);
    let refused = pod.engine.place_in_pod("c9", true).await;
    assert_eq!(refused, Err(ActionError::RemovesItself("web2".to_owned())));
    pod.fake.put(&container("c8", "vpn", "bridge"));
    pod.fake.put(&container("c7", "torrent", "container:c8"));
    pod.knows("c7").await;
    let problem = Problem::from(pod.engine.place_in_pod("c8", true).await.unwrap_err());
    assert!(
        problem.message.contains("vpn shares its network with torrent"),
        "{problem}"
    );
    assert_eq!(pod.fake.requests("POST /containers/create"), 0);
}

#[tokio::test]
async fn two_members_on_one_port_are_told_apart_before_the_second_starts() {
    let pod = Pod::start().await;
    pod.fake.put(&listening("m2", "web2", &pod.shared(), "90/tcp"));
    let mut third = listening("m3", "web3", &pod.shared(), "90/tcp");
    third["State"] = json!({"Status": "exited", "ExitCode": 0});
    pod.fake.put(&third);
    pod.knows("m3").await;
    let text = "web3 can't start: port 90/tcp in this pod is web2's. Stop web2, or change the port of web3.";
    for action in [Start, Restart] {
        let problem = Problem::from(pod.engine.act("m3", action).await.unwrap_err());
        assert_eq!((problem.code, problem.message.as_str()), (Code::Conflict, text));
    }
    // No container declares 8080, but a process listens there.
    pod.fake.put(&listening("c9", "web4", "bridge", "8080/tcp"));
    let problem = Problem::from(pod.engine.place_in_pod("c9", true).await.unwrap_err());
    assert!(
        problem.message.contains("web4 can't start: port 8080/tcp"),
        "{problem}"
    );
    assert_eq!(pod.fake.requests("/start") + pod.fake.requests("/create"), 0);
    pod.engine.act("m2", Restart).await.unwrap();
}

#[tokio::test]
async fn the_pause_container_is_not_stopped_and_the_agent_is_not_moved() {
    let pod = Pod::start().await;
    for action in [Stop, Restart] {
        let refused = pod.engine.act(&pod.pause, action).await;
        assert_eq!(
            refused,
            Err(ActionError::PauseContainer("flotilla-pause".to_owned()))
        );
    }
    let refused = pod.engine.place_in_pod(&pod.agent, false).await;
    assert_eq!(refused, Err(ActionError::OwnContainer));
    assert_eq!(pod.fake.requests("POST"), 0);
}

#[tokio::test]
async fn without_a_pod_there_is_nothing_to_join() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.put(&container("c1", "web", "bridge"));
    let (engine, _guard) = follow_from(&fake, OwnContainer::default());
    inventory(&engine).await;
    assert_eq!(engine.place_in_pod("c1", true).await, Err(ActionError::NoPod));
    assert_eq!(
        engine.change_mode(NetworkMode::Host, &Fuse::default()).await,
        Err(ActionError::NotContained)
    );
}
