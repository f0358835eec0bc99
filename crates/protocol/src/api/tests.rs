//! Golden forms of the control API: a change here is a change of what others rely on.

use super::*;
use crate::inventory::{Container, ContainerAction, ContainerState, Health, Port};

fn row() -> Row<Container> {
    Row {
        device: "nas".parse().unwrap(),
        device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        item: Container {
            id: "4f1c".into(),
            name: "postgres".into(),
            image: "postgres:17".into(),
            image_id: "sha256:1".into(),
            state: ContainerState::Running,
            status: "Running".into(),
            health: Health::Healthy,
            stack: Some("media".into()),
            service: Some("db".into()),
            ports: vec![Port {
                private: 5432,
                private_last: None,
                protocol: "tcp".into(),
                public: Some(5432),
                address: Some("0.0.0.0".into()),
            }],
            created: "2026-01-02T03:04:05Z".parse().ok(),
            started: None,
            finished: None,
            exit_code: None,
            failure: None,
            unread: None,
            oom_killed: false,
            restarts: 0,
            network_mode: "bridge".into(),
            volumes: vec![],
            networks: vec![],
            is_agent: false,
            pod: None,
            found_as: Vec::new(),
        },
        as_of: "2026-01-02T03:04:06Z".parse().unwrap(),
    }
}

#[test]
fn a_row_holds_its_item_and_a_frame_names_its_kind() {
    let frame = LiveFrame {
        seq: 7,
        upsert: Some(Resource::Container(Box::new(row()))),
        remove: None,
        reset: false,
    };
    insta::assert_json_snapshot!(frame);
    let text = serde_json::to_string(&frame).unwrap();
    assert_eq!(serde_json::from_str::<LiveFrame>(&text).unwrap(), frame);
}

#[test]
fn a_resource_of_the_future_is_unknown_and_not_an_error() {
    for upsert in [
        r#"{"kind":"moon","value":{"phase":[1]}}"#,
        r#"{"kind":"moon"}"#,
        r#"{"value":7,"kind":"moon"}"#,
    ] {
        let frame: LiveFrame = serde_json::from_str(&format!(r#"{{"seq":1,"upsert":{upsert}}}"#)).unwrap();
        assert_eq!(frame.upsert, Some(Resource::Unknown), "{upsert}");
    }
}

#[test]
fn paths_encode_what_people_type() {
    let act = ActOnContainer {
        device: "nas".into(),
        container: "a/../b?c".into(),
        action: ContainerAction::Stop,
    };
    assert_eq!(act.path(), "/devices/nas/containers/a%2F..%2Fb%3Fc/stop");
    let list = ListContainers {
        devices: vec!["nas".into(), "vps-2".into()],
    };
    assert_eq!(list.path(), "/containers?device=nas&device=vps-2");
    assert_eq!(
        ListActivity {
            before: Some(5),
            limit: None
        }
        .path(),
        "/activity?before=5"
    );
}
