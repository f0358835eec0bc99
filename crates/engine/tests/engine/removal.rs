//! Removing containers, and what is left alone.

use crate::pods::{Pod, container};
use flotilla_engine::{ActionError, Loan};
use serde_json::{Value, json};

/// A container that does not run.
fn stopped(id: &str, name: &str) -> Value {
    let mut stopped = container(id, name, "bridge");
    stopped["State"] = json!({"Status": "exited", "ExitCode": 0});
    stopped
}

#[tokio::test]
async fn only_what_rests_and_lends_nothing_is_removed() {
    let pod = Pod::start().await;
    pod.fake.put(&stopped("c7", "old"));
    pod.fake.put(&container("c8", "dbg", "bridge"));
    pod.fake.put(&stopped("c9", "app"));
    let mut borrower = container("c6", "borrower", "bridge");
    borrower["HostConfig"]["PidMode"] = json!("container:c9");
    pod.fake.put(&borrower);
    pod.knows("c6").await;
    let remove = async |id: &str| pod.engine.remove(id, false).await;
    assert_eq!(remove("c8").await, Err(ActionError::Runs("dbg".into())));
    assert!(matches!(
        remove("c9").await,
        Err(ActionError::Lends {
            what: Loan::Processes,
            ..
        })
    ));
    assert!(matches!(remove("c5").await, Err(ActionError::NotFound(_))));
    assert_eq!(pod.fake.requests("DELETE"), 0, "nothing was asked of the engine");
    assert_eq!(remove("c7").await, Ok(()));
    assert_eq!(pod.fake.requests("DELETE"), 1);
    assert!(matches!(remove("c7").await, Err(ActionError::NotFound(_))));
}

#[tokio::test]
async fn the_agent_and_what_holds_the_pods_network_are_not_removed() {
    let pod = Pod::start().await;
    let containers = pod.inventory().await.containers;
    for kept in ["flotilla-agent", "flotilla-pause"] {
        let it = containers.iter().find(|known| known.name == kept).unwrap();
        let refused = pod.engine.remove(&it.id, false).await.unwrap_err();
        assert!(
            matches!(
                refused,
                ActionError::OwnContainer | ActionError::PauseContainer(_)
            ),
            "{kept}: {refused}"
        );
    }
    assert_eq!(pod.fake.requests("DELETE"), 0);
}
