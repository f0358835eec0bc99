//! The inventory that follows from containers, by descriptions as engines give them.

use super::*;
use crate::read;

fn snapshot(containers: &[serde_json::Value]) -> Snapshot {
    let observed = containers.iter().map(|json| {
        let seen = read::container(serde_json::from_value(json.clone()).unwrap());
        (seen.container.id.clone(), seen)
    });
    Snapshot {
        containers: observed.collect(),
        ..Snapshot::default()
    }
}

fn service(id: &str, service: &str, status: &str, one_off: &str) -> serde_json::Value {
    serde_json::json!({
        "Id": id, "Name": format!("/media-{service}-{id}"), "Image": "sha256:aa",
        "State": {"Status": status, "Health": {"Status": if service == "db" { "unhealthy" } else { "none" }}},
        "Config": {"Labels": {"com.docker.compose.project": "media", "com.docker.compose.service": service, "com.docker.compose.oneoff": one_off,
            "com.docker.compose.project.config_files": "/srv/compose.yaml"}},
        "Mounts": [{"Type": "volume", "Name": "pg"}], "NetworkSettings": {"Networks": {"media_default": {}}}
    })
}

#[test]
fn a_stack_counts_its_instances_and_not_its_one_off_runs() {
    let snapshot = snapshot(&[
        service("1", "web", "running", "False"),
        service("2", "web", "exited", "False"),
        service("3", "db", "running", "False"),
        service("4", "db", "running", "True"),
    ]);
    let stacks = snapshot.assemble(None, None).stacks;
    assert_eq!(stacks.len(), 1);
    assert_eq!(
        (stacks[0].total, stacks[0].running, stacks[0].unhealthy),
        (3, 2, 1)
    );
    assert_eq!(
        (&stacks[0].services, &stacks[0].config_files),
        (
            &vec!["db".into(), "web".into()],
            &vec!["/srv/compose.yaml".to_owned()]
        )
    );
}

#[test]
fn a_member_of_a_pod_has_the_ports_that_it_declares() {
    let answer = |id: &str, network: &str| {
        serde_json::json!({
            "Id": id, "Name": format!("/{id}"), "State": {"Status": "running"},
            "HostConfig": {"NetworkMode": network}, "Config": {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}
        })
    };
    let snapshot = snapshot(&[
        answer("pause", "bridge"),
        answer("agent", "container:pause"),
        answer("web", "container:pause"),
    ]);
    let pod = Pod::around("agent", &snapshot.containers);
    let ports = |pod: Option<&Pod>| {
        let containers = snapshot.assemble(Some("agent"), pod).containers;
        let web = containers.into_iter().find(|container| container.name == "web");
        web.unwrap().ports
    };
    let words: Vec<_> = ports(pod.as_ref())
        .iter()
        .map(|port| (port.private, port.protocol.clone(), port.public))
        .collect();
    assert_eq!(
        words,
        [(53, "udp".to_owned(), None), (80, "tcp".to_owned(), None)]
    );
    assert_eq!(ports(None), [], "elsewhere the engine knows better");
}

#[test]
fn users_of_images_volumes_and_networks_follow_from_the_containers() {
    let mut snapshot = snapshot(&[
        service("1", "web", "running", "False"),
        service("2", "web", "exited", "False"),
    ]);
    assert_eq!(snapshot.missing_images(), ["sha256:aa".to_owned()].into());
    let image = serde_json::json!({"Id": "sha256:aa"});
    snapshot
        .images
        .extend(read::image(&image, flotilla_protocol::Timestamp::UNIX_EPOCH));
    assert!(snapshot.missing_images().is_empty());
    snapshot
        .volumes
        .extend(read::volume(&serde_json::json!({"Name": "pg"})));
    snapshot
        .networks
        .extend(read::network(&serde_json::json!({"Name": "media_default"})));
    let inventory = snapshot.assemble(None, None);
    assert_eq!(inventory.images[0].used_by, Some(2));
    assert_eq!(inventory.volumes[0].used_by, ["media-web-1", "media-web-2"]);
    assert_eq!(inventory.networks[0].containers, ["media-web-1"]);
}

#[test]
fn two_folders_under_one_name_are_one_stack_that_says_so() {
    let of = |folder: &str, service: &str| {
        serde_json::json!({
            "Id": service, "Name": format!("/app-{service}-1"), "State": {"Status": "running"},
            "Config": {"Labels": {"com.docker.compose.project": "app", "com.docker.compose.service": service,
                "com.docker.compose.project.working_dir": folder,
                "com.docker.compose.project.config_files": format!("{folder}/compose.yaml")}},
        })
    };
    let one = snapshot(&[of("/srv/one/app", "web"), of("/srv/one/app", "db")]);
    assert_eq!(one.assemble(None, None).stacks[0].folders, []);
    let two = snapshot(&[
        of("/srv/one/app", "web"),
        of("/srv/two/app", "api"),
        of("/srv/one/app", "db"),
    ]);
    let stacks = two.assemble(None, None).stacks;
    assert_eq!((stacks.len(), stacks[0].total), (1, 3));
    let folders: Vec<_> = stacks[0]
        .folders
        .iter()
        .map(|folder| (folder.path.as_str(), folder.services.join(" ")))
        .collect();
    assert_eq!(
        folders,
        [
            ("/srv/one/app", "db web".to_owned()),
            ("/srv/two/app", "api".to_owned())
        ]
    );
    assert_eq!(stacks[0].folders[1].config_files, ["/srv/two/app/compose.yaml"]);
}

#[test]
fn networks_of_one_name_have_their_own_containers() {
    let on = |name: &str, network: &str| {
        serde_json::json!({
            "Id": name, "Name": format!("/{name}"), "State": {"Status": "running"},
            "NetworkSettings": {"Networks": {"twin": {"NetworkID": network}}},
        })
    };
    let mut twins = snapshot(&[on("on-one", "n1"), on("on-two", "n2")]);
    let network = |id: &str| read::network(&serde_json::json!({"Name": "twin", "Id": id}));
    twins
        .networks
        .extend(["n1", "n2"].into_iter().filter_map(network));
    let networks = twins.assemble(None, None).networks;
    assert_eq!(
        (&networks[0].containers, &networks[1].containers),
        (&vec!["on-one".to_owned()], &vec!["on-two".to_owned()])
    );
}

#[test]
fn a_list_shows_what_is_new_and_says_what_to_read() {
    let row = |id: &str, state: &str| read::listed(&serde_json::json!({"Id": id, "State": state})).unwrap();
    let mut snapshot = snapshot(&[serde_json::json!({"Id": "gone"})]);
    let stale = snapshot.take_list(vec![row("a", "running"), row("b", "running")]);
    assert_eq!(stale, ["a", "b", "gone"]);
    assert!(
        snapshot.containers["a"].container.unread.is_some(),
        "it was only listed"
    );
    snapshot.containers.remove("gone");
    assert!(
        snapshot
            .take_list(vec![row("a", "running"), row("b", "running")])
            .is_empty()
    );
    assert_eq!(
        snapshot.take_list(vec![row("a", "exited"), row("b", "running")]),
        ["a"]
    );
    snapshot.forget_list();
    assert_eq!(
        snapshot.take_list(vec![row("a", "exited"), row("b", "running")]),
        ["a", "b"]
    );
}
