//! Answers as engines give them, and what people are shown of them.

use super::*;
use flotilla_protocol::inventory::Health;

fn observed(json: &serde_json::Value) -> ObservedContainer {
    container(serde_json::from_value(json.clone()).unwrap())
}

fn with_state(state: &serde_json::Value) -> Container {
    observed(&serde_json::json!({ "Id": "4f1c", "Name": "/web", "State": state })).container
}

#[test]
fn a_running_container_is_read_whole() {
    let seen = observed(&serde_json::json!({
        "Id": "4f1c", "Name": "/media_web_1", "Image": "sha256:aa", "Created": "2026-03-01T12:00:00.5Z", "RestartCount": 2,
        "State": {"Status": "running", "StartedAt": "2026-03-01T13:00:00+01:00", "FinishedAt": "0001-01-01T00:00:00Z",
                  "ExitCode": 0, "Health": {"Status": "unhealthy"}},
        "Config": {"Image": "nginx:1", "Labels": {"com.docker.compose.project": "media", "com.docker.compose.service": "web",
            "com.docker.compose.project.working_dir": "/srv/media", "com.docker.compose.project.config_files": "compose.yaml,/etc/extra.yaml"}},
        "HostConfig": {"NetworkMode": "media_default"},
        "Mounts": [{"Type": "volume", "Name": "pg", "Destination": "/x"}, {"Type": "bind", "Source": "/srv", "Destination": "/y"}],
        "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": null},
            "Networks": {"proxy": {}, "media_default": {}}}
    }));
    let ObservedContainer {
        container: web,
        config_files,
        one_off,
        ..
    } = seen;
    assert_eq!(
        (web.name.as_str(), web.image.as_str(), web.status.as_str()),
        ("media_web_1", "nginx:1", "Running")
    );
    assert_eq!(
        (web.state, web.health, web.restarts),
        (ContainerState::Running, Health::Unhealthy, 2)
    );
    assert_eq!(
        (web.stack.as_deref(), web.service.as_deref()),
        (Some("media"), Some("web"))
    );
    assert_eq!(
        (
            web.started.unwrap().to_string().as_str(),
            web.finished,
            web.exit_code
        ),
        ("2026-03-01T12:00:00Z", None, None)
    );
    assert_eq!(
        (web.volumes, web.networks),
        (
            vec!["pg".to_owned()],
            vec!["media_default".to_owned(), "proxy".to_owned()]
        )
    );
    let ports: Vec<_> = web
        .ports
        .iter()
        .map(|port| (port.private, port.public, port.address.as_deref()))
        .collect();
    assert_eq!(
        ports,
        [
            (53, None, None),
            (80, Some(8080), Some("0.0.0.0")),
            (80, Some(8080), Some("::"))
        ]
    );
    assert_eq!(config_files, ["/srv/media/compose.yaml", "/etc/extra.yaml"]);
    assert!(!one_off && !web.is_agent);
}

#[test]
fn a_status_is_a_few_words_that_do_not_age() {
    for (json, words) in [
        (
            serde_json::json!({"Status": "exited", "ExitCode": 137}),
            "Exited (137)",
        ),
        (
            serde_json::json!({"Status": "exited", "ExitCode": 0}),
            "Exited (0)",
        ),
        (serde_json::json!({"Status": "created", "ExitCode": 0}), "Created"),
        (serde_json::json!({"Status": "paused", "ExitCode": 0}), "Paused"),
        (
            serde_json::json!({"Status": "restarting", "ExitCode": 1}),
            "Restarting (1)",
        ),
        (serde_json::json!({}), "Unknown"),
    ] {
        assert_eq!(with_state(&json).status, words);
    }
}

#[test]
fn an_empty_answer_is_a_container_of_which_nothing_is_known() {
    let nothing = observed(&serde_json::json!({})).container;
    assert_eq!((nothing.state, nothing.created), (ContainerState::Unknown, None));
}

#[test]
fn the_agent_is_known_by_its_label() {
    let agent =
        observed(&serde_json::json!({"Id": "1", "Config": {"Labels": {"app.flotilla.agent": "true"}}}));
    assert!(agent.container.is_agent);
}

#[test]
fn what_a_container_says_of_its_ports_is_gathered_from_wherever_it_says_it() {
    let label = r#"{"mode":"bridge","config":{"ExposedPorts":{"70/udp":{}}},"host":{"PortBindings":{"80/tcp":null}}}"#;
    let seen = observed(&serde_json::json!({
        "Id": "4f1c", "Config": {"ExposedPorts": {"90/tcp": {}}, "Labels": {"io.flotilla.before-pod": label}},
        "HostConfig": {"PortBindings": {"53/udp": [{"HostPort": "5353"}]}, "RestartPolicy": {"Name": "unless-stopped"}},
        "NetworkSettings": {"Networks": {"a": {"IPAddress": "192.0.2.1", "GlobalIPv6Address": "2001:db8::1"}, "b": {"IPAddress": ""}}},
    }));
    let declared: Vec<_> = seen.declared.iter().map(ToString::to_string).collect();
    assert_eq!(declared, ["53/udp", "70/udp", "80/tcp", "90/tcp"]);
    assert_eq!((seen.addresses.len(), seen.returns), (2, true));
}
