//! What a recreated container keeps, as engines describe containers.

use super::*;
use serde_json::{Value, json};

fn web() -> Value {
    json!({
        "Id": "4f1c0d1e2f3a", "Name": "/web", "Image": "sha256:aa",
        "Config": {
            "Hostname": "4f1c0d1e2f3a", "User": "33", "Env": ["A=1"], "Cmd": ["httpd"], "Entrypoint": ["/sh"],
            "WorkingDir": "/srv", "Labels": {"tier": "front"}, "StopSignal": "SIGINT", "StopTimeout": 30,
            "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/cache": {}},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000_000},
        },
        "HostConfig": {
            "NetworkMode": "bridge", "Binds": ["pg:/data", "/srv/www:/www:ro"],
            "Mounts": [{"Type": "volume", "Target": "/made-up"}, {"Type": "bind", "Source": "/etc", "Target": "/e", "ReadOnly": true}],
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}, "CapAdd": ["NET_RAW"], "CapDrop": ["ALL"],
            "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}],
            "Memory": 1_000_000, "ReadonlyRootfs": true, "Tmpfs": {"/tmp": ""}, "SecurityOpt": ["no-new-privileges"],
            "Sysctls": {"net.ipv4.ip_forward": "1"}, "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "VolumesFrom": ["other"], "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        },
        "Mounts": [
            {"Type": "volume", "Name": "pg", "Destination": "/data", "RW": true},
            {"Type": "volume", "Name": "0a1b", "Destination": "/cache", "RW": true},
            {"Type": "volume", "Name": "2c3d", "Destination": "/made-up", "RW": true},
            {"Type": "volume", "Name": "theirs", "Destination": "/theirs", "RW": false},
            {"Type": "bind", "Source": "/srv/www", "Destination": "/www", "RW": false},
        ],
        "NetworkSettings": {"Networks": {"bridge": {"MacAddress": ""}}},
    })
}

fn made(answer: &Value, network: &Network) -> ContainerCreateBody {
    let answer = serde_json::from_value(answer.clone()).unwrap();
    same(answer, "nginx:1".to_owned(), network).unwrap().0
}

/// As the engine will describe the new one.
fn inspected(body: &ContainerCreateBody) -> Value {
    let whole = serde_json::to_value(body).unwrap();
    json!({"Id": "new", "Name": "/web", "Image": "sha256:aa", "Config": whole, "HostConfig": whole["HostConfig"], "Mounts": web()["Mounts"]})
}

#[test]
fn everything_but_the_network_is_kept() {
    let body = serde_json::to_value(made(&web(), &Network::Of("p1".into()))).unwrap();
    let old = web();
    for field in [
        "User",
        "Env",
        "Cmd",
        "Entrypoint",
        "WorkingDir",
        "StopSignal",
        "StopTimeout",
        "Healthcheck",
        "Volumes",
    ] {
        assert_eq!(body[field], old["Config"][field], "{field}");
    }
    for field in [
        "RestartPolicy",
        "CapAdd",
        "CapDrop",
        "Devices",
        "Memory",
        "ReadonlyRootfs",
        "Tmpfs",
        "SecurityOpt",
        "Sysctls",
        "LogConfig",
    ] {
        assert_eq!(body["HostConfig"][field], old["HostConfig"][field], "{field}");
    }
    assert_eq!(
        (&body["Image"], &body["Labels"]["tier"]),
        (&json!("nginx:1"), &json!("front"))
    );
}

#[test]
fn volumes_without_a_name_are_the_same_ones() {
    let host = made(&web(), &Network::Of("p1".into())).host_config.unwrap();
    assert_eq!(
        host.binds.unwrap(),
        ["pg:/data", "/srv/www:/www:ro", "0a1b:/cache", "theirs:/theirs:ro"]
    );
    assert_eq!(host.mounts.unwrap()[0].source.as_deref(), Some("2c3d"));
    assert_eq!(host.volumes_from, None, "what came from there is named");
}

#[test]
fn who_was_made_as_a_member_has_no_network_to_go_back_to() {
    let born = json!({"Id": "1", "HostConfig": {"NetworkMode": "container:p1"}});
    let moved = made(&born, &Network::OfSuccessor("p2".into()));
    let free = made(&inspected(&moved), &Network::Before).host_config.unwrap();
    assert_eq!(free.network_mode.as_deref(), Some("bridge"));
}

#[test]
fn limits_and_devices_are_described_as_engines_take_them() {
    let limits =
        json!([{"Name": "RLIMIT_NOFILE", "Soft": 1, "Hard": 2}, {"Name": "nproc", "Soft": 3, "Hard": 4}]);
    let answer = json!({"Id": "1", "HostConfig": {"Ulimits": limits, "MemorySwappiness": -1,
        "Devices": [{"PathOnHost": "/dev/net/tun", "PathInContainer": "/dev/net/tun", "CgroupPermissions": ""}]}});
    let host = made(&answer, &Network::Named("host".into())).host_config.unwrap();
    let devices = host.devices.unwrap_or_default();
    assert_eq!(devices[0].cgroup_permissions.as_deref(), Some("rwm"));
    let names: Vec<_> = host
        .ulimits
        .into_iter()
        .flatten()
        .flat_map(|limit| limit.name)
        .collect();
    assert_eq!(
        (names, host.memory_swappiness),
        (vec!["nofile".to_owned(), "nproc".to_owned()], None)
    );
}

#[test]
fn what_a_pod_forbids_comes_back_when_it_is_left() {
    let member = made(&web(), &Network::Of("p1".into()));
    assert_eq!((&member.exposed_ports, &member.hostname), (&None, &None));
    let moved = made(&inspected(&member), &Network::OfSuccessor("p2".into()));
    let mode = moved.host_config.as_ref().unwrap().network_mode.clone();
    assert_eq!(mode.as_deref(), Some("container:p2"));
    let free = serde_json::to_value(made(&inspected(&moved), &Network::Before)).unwrap();
    assert_eq!(
        free["HostConfig"]["PortBindings"],
        web()["HostConfig"]["PortBindings"]
    );
    assert_eq!(free["ExposedPorts"], json!({"80/tcp": {}}));
    assert_eq!(free["HostConfig"]["NetworkMode"], "bridge");
    assert_eq!(free["Labels"], json!({"tier": "front"}));
}

#[test]
fn a_network_of_the_engine_is_taken_as_it_was_or_plain() {
    let member = inspected(&made(&web(), &Network::Of("p1".into())));
    let host = made(&member, &Network::Named("host".into())).host_config.unwrap();
    assert_eq!(
        (
            host.network_mode.as_deref(),
            host.port_bindings.map(|ports| ports.len())
        ),
        (Some("host"), Some(0))
    );
    let bridge = made(&member, &Network::Named("bridge".into()))
        .host_config
        .unwrap();
    assert_eq!(bridge.port_bindings.map(|ports| ports.len()), Some(1));
}
