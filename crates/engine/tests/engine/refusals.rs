//! Why a container is not moved, stopped or started: found out before anything is stopped, and reported with the true
//! cause.

use crate::{
    fake::{Fake, OLD_DOCKER},
    pods::{Pod, container},
    watching::{follow_from, inventory},
};
use flotilla_engine::{ActionError, Loan, OwnContainer};
use flotilla_protocol::{
    Code, Problem,
    inventory::ContainerAction::{Restart, Start, Stop},
};
use serde_json::{Value, json};

/// The reason of a refusal, after which nothing may have changed.
async fn refused(pod: &Pod, id: &str, member: bool) -> ActionError {
    pod.knows(id).await;
    let before = pod.fake.containers();
    let error = pod.engine.place_in_pod(id, member).await.unwrap_err();
    assert_eq!(pod.fake.containers(), before);
    for request in ["POST", "DELETE"] {
        assert_eq!(
            pod.fake.requests(request),
            0,
            "{request}, though it was refused: {error}"
        );
    }
    error
}

/// A member of the pod that had an address on another network before.
fn member_from(pod: &Pod, network: &str, id: &str) -> Value {
    let label = json!({"mode": network, "host": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
        "endpoints": {network: {"NetworkID": id.repeat(64), "IPAMConfig": {"IPv4Address": "10.99.8.53"}}}});
    let mut member = container("c9", "dns8", &pod.shared());
    member["Config"]["Labels"] = json!({"io.flotilla.before-pod": label.to_string()});
    member["State"] = json!({"Status": "running", "Running": true});
    member
}

#[tokio::test]
async fn who_lends_its_processes_its_memory_or_its_name_is_not_taken_away() {
    for (field, value, what) in [
        ("PidMode", json!("container:c9"), Loan::Processes),
        ("IpcMode", json!("container:app"), Loan::Memory),
        ("NetworkMode", json!("container:c9"), Loan::Network),
        ("Links", json!(["/app:/dbg/alias"]), Loan::Link),
    ] {
        let pod = Pod::start().await;
        pod.fake.put(&container("c9", "app", "bridge"));
        let mut borrower = container("c8", "dbg", "bridge");
        borrower["HostConfig"][field] = value;
        pod.fake.put(&borrower);
        let (lender, borrower) = ("app".to_owned(), "dbg".to_owned());
        assert_eq!(
            refused(&pod, "c9", true).await,
            ActionError::Lends {
                lender,
                borrower,
                what
            }
        );
    }
}

#[tokio::test]
async fn a_leftover_with_the_name_that_is_needed_is_named() {
    let pod = Pod::start().await;
    pod.fake.put(&container("c9", "web15", "bridge"));
    pod.fake.put(&container("c8", "web15.flotilla-old", "bridge"));
    let text = refused(&pod, "c9", true).await.to_string();
    assert!(
        text.starts_with("There is a container web15.flotilla-old"),
        "{text}"
    );
}

#[tokio::test]
async fn a_container_that_is_being_removed_or_has_lost_its_image_is_left_alone() {
    let pod = Pod::start().await;
    let mut leaving = container("c9", "leaving", "bridge");
    leaving["State"] = json!({"Status": "removing"});
    pod.fake.put(&leaving);
    assert_eq!(
        refused(&pod, "c9", true).await,
        ActionError::BeingRemoved("leaving".into())
    );
    pod.fake.load_image("sha256:14", "entry:1");
    let mut orphan = container("c8", "noimg14", "bridge");
    orphan["Image"] = json!("sha256:14");
    pod.fake.put(&orphan);
    pod.fake.remove_image("sha256:14");
    let error = refused(&pod, "c8", true).await;
    assert_eq!(error, ActionError::ImageGone("noimg14".into()));
    assert!(
        error
            .to_string()
            .contains("image of noimg14 is gone from this device"),
        "{error}"
    );
}

#[tokio::test]
async fn what_another_one_took_while_a_member_was_in_the_pod_is_named_with_its_holder() {
    let pod = Pod::start().await;
    let member = member_from(&pod, "fixed", "f");
    pod.fake.put(&member);
    let gone = refused(&pod, "c9", false).await.to_string();
    assert!(gone.contains("network fixed is missing"), "{gone}");

    let thief = json!({"c7": {"Name": "thief8", "IPv4Address": "10.99.8.53/24"}});
    pod.fake.put_network(&"f".repeat(64), "fixed", &thief);
    let taken = refused(&pod, "c9", false).await.to_string();
    assert!(
        taken.contains("10.99.8.53 on network fixed, which thief8 has"),
        "{taken}"
    );

    let pod = Pod::start().await;
    pod.fake.put(&member_from(&pod, "fixed", "f"));
    let others = json!({"c9": {"Name": "dns8", "IPv4Address": "10.99.8.53/24"}, "c7": {"Name": "x", "IPv4Address": "10.99.8.5/24"}});
    pod.fake.put_network(&"f".repeat(64), "fixed", &others);
    let mut publisher = container("c6", "proxy", "bridge");
    publisher["Ports"] = json!([{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}]);
    pod.fake.put(&publisher);
    let taken = refused(&pod, "c9", false).await.to_string();
    assert!(
        taken.contains("port 8080/tcp of this device, which proxy has"),
        "{taken}"
    );
    for twin in ["e", "d"] {
        pod.fake.put_network(&twin.repeat(64), "twin", &json!({}));
    }
    pod.fake.put(&member_from(&pod, "twin", "c"));
    let ambiguous = refused(&pod, "c9", false).await.to_string();
    assert!(ambiguous.contains("several networks twin"), "{ambiguous}");
}

#[tokio::test]
async fn a_network_to_go_back_to_has_to_be_there() {
    let pod = Pod::start().await;
    let mut member = container("c9", "torrent", &pod.shared());
    member["Config"]["Labels"] = json!({"io.flotilla.before-pod": r#"{"mode":"container:vpn"}"#});
    member["State"] = json!({"Status": "running", "Running": true});
    pod.fake.put(&member);
    let (name, lent) = ("torrent".to_owned(), Loan::Network);
    assert_eq!(
        refused(&pod, "c9", false).await,
        ActionError::LenderGone { name, lent }
    );
    let mut vpn = container("c8", "vpn", "bridge");
    vpn["State"] = json!({"Status": "exited", "Running": false});
    pod.fake.put(&vpn);
    let text = refused(&pod, "c9", false).await.to_string();
    assert_eq!(
        text,
        "torrent uses the network of vpn, which does not run. Start vpn first."
    );
}

#[tokio::test]
async fn a_task_of_a_swarm_is_the_swarms() {
    let labels = json!({"com.docker.swarm.service.name": "svc16"});
    let pod = Pod::start().await;
    let mut task = container("c9", "svc16.1.x", "host");
    task["Config"]["Labels"] = labels.clone();
    pod.fake.put(&task);
    let error = refused(&pod, "c9", true).await;
    assert!(
        error.to_string().contains("swarm service svc16 will replace it"),
        "{error}"
    );
    for action in [Start, Stop, Restart] {
        assert_eq!(pod.engine.act("c9", action).await, Err(error.clone()));
    }
    // A label of an image does not keep people from stopping its containers.
    pod.fake.load_labeled_image("sha256:bad", "evil:1", &labels);
    task["Id"] = json!("c8");
    task["Image"] = json!("sha256:bad");
    pod.fake.put(&task);
    pod.engine.act("c8", Stop).await.unwrap();
}

#[tokio::test]
async fn what_a_start_misses_is_named_and_what_forbids_a_stop_is_told_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.put(&container("c1", "cron13", "gone13"));
    let mut debugger = container("c2", "dbg10", "bridge");
    debugger["HostConfig"]["PidMode"] = json!("container:lost");
    fake.put(&debugger);
    let mut stopped = container("c3", "cron14", "gone13");
    stopped["State"] = json!({"Status": "exited", "ExitCode": 0});
    fake.put(&stopped);
    let (engine, _guard) = follow_from(&fake, OwnContainer::default());
    inventory(&engine).await;
    // It runs, and would not come back.
    let (name, lent) = ("dbg10".to_owned(), Loan::Processes);
    assert_eq!(
        engine.act("c2", Restart).await,
        Err(ActionError::LenderGone { name, lent })
    );
    assert_eq!(fake.requests("POST"), 0);

    fake.refuse("network gone13 not found");
    let problem = Problem::from(engine.act("c3", Start).await.unwrap_err());
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.message.contains("network gone13 is missing"), "{problem}");
    fake.refuse("cannot stop container: cron13: permission denied");
    for action in [Stop, Restart] {
        let problem = Problem::from(engine.act("c1", action).await.unwrap_err());
        assert_eq!(problem.code, Code::EngineRefused);
        assert!(
            problem.message.contains("AppArmor") && problem.message.contains("stop cron13"),
            "{action:?}: {problem}"
        );
    }
}
