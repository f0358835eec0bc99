//! What a recreated container keeps, by descriptions as engines give them.

use super::*;

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
            "Sysctls": {"kernel.msgmax": "9000"}, "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
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

/// An engine that has the networks named here.
fn context() -> CopyContext {
    let named = |name: &str| (name.repeat(20), name.to_owned());
    CopyContext {
        image: "nginx:1".to_owned(),
        networks: Networks::new(["bridge", "media"].map(named)),
        dialect: Dialect {
            api: (1, 41),
            device: "nas".to_owned(),
        },
        ..CopyContext::default()
    }
}

fn made(answer: &Value, network: &Network) -> Value {
    copy_request(answer, network, &context()).unwrap().0
}

/// The new container as the engine will describe it.
fn inspected(body: &Value) -> Value {
    json!({"Id": "new", "Name": "/web", "Image": "sha256:aa", "Config": body, "HostConfig": body["HostConfig"], "Mounts": web()["Mounts"]})
}

#[test]
fn everything_but_the_network_is_kept() {
    let body = made(&web(), &Network::Of("p1".into()));
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
fn what_a_newer_or_an_older_engine_knows_is_kept_and_null_and_empty_stay_apart() {
    let mut old = web();
    old["HostConfig"]["KernelMemory"] = json!(8_000_000);
    old["HostConfig"]["NeverHeardOf"] = json!({"a": [null, ""]});
    old["Config"]["Healthcheck"]["StartInterval"] = json!(5);
    old["HostConfig"]["MaskedPaths"] = json!([]);
    old["HostConfig"]["ReadonlyPaths"] = json!(null);
    old["Config"]["Cmd"] = json!(null);
    let body = made(&old, &Network::Of("p1".into()));
    for field in ["KernelMemory", "NeverHeardOf", "MaskedPaths", "ReadonlyPaths"] {
        assert_eq!(
            body["HostConfig"].get(field),
            old["HostConfig"].get(field),
            "{field}"
        );
    }
    assert_eq!(body["Healthcheck"], old["Config"]["Healthcheck"]);
    assert_eq!(body.get("Cmd"), Some(&Value::Null));
}

#[test]
fn an_entrypoint_that_was_taken_away_does_not_come_back() {
    let mut old = web();
    old["Config"]["Entrypoint"] = json!(null);
    let with_entrypoint = |has_entrypoint| {
        let context = CopyContext {
            has_entrypoint,
            ..context()
        };
        copy_request(&old, &Network::Of("p1".into()), &context).unwrap().0
    };
    assert_eq!(with_entrypoint(true)["Entrypoint"], json!([""]));
    assert_eq!(with_entrypoint(false)["Entrypoint"], json!(null));
}

#[test]
fn volumes_without_a_name_are_the_same_ones() {
    let host = made(&web(), &Network::Of("p1".into()))["HostConfig"].take();
    assert_eq!(
        host["Binds"],
        json!(["pg:/data", "/srv/www:/www:ro", "0a1b:/cache", "theirs:/theirs:ro"])
    );
    assert_eq!(host["Mounts"][0]["Source"], "2c3d");
    assert_eq!(host["VolumesFrom"], json!(null), "what came from there is named");
}

#[test]
fn a_container_whose_volumes_it_has_is_named_as_long_as_it_gives_the_same() {
    let theirs = json!({"Type": "volume", "Name": "theirs", "Destination": "/theirs", "RW": true});
    let other = json!({"Type": "volume", "Name": "another", "Destination": "/theirs", "RW": true});
    let more = json!({"Type": "volume", "Name": "more", "Destination": "/more", "RW": true});
    let host_with = |mounts: &[&Value]| {
        let source = Source {
            asked: "other:ro".to_owned(),
            mounts: mounts.iter().copied().cloned().collect(),
        };
        let context = CopyContext {
            sources: vec![source],
            ..context()
        };
        copy_request(&web(), &Network::Of("p1".into()), &context)
            .unwrap()
            .0["HostConfig"]
            .take()
    };
    let host = host_with(&[&theirs]);
    assert_eq!(host["VolumesFrom"], json!(["other:ro"]));
    assert_eq!(host["Binds"].as_array().map(Vec::len), Some(3));
    for changed in [host_with(&[&other]), host_with(&[&theirs, &more])] {
        assert_eq!(changed["VolumesFrom"], json!(null));
        assert_eq!(changed["Binds"].as_array().map(Vec::len), Some(4));
    }
}

#[test]
fn a_container_without_anything_mounted_gets_no_list_of_mounts() {
    let plain = json!({"Id": "1", "Config": {}, "HostConfig": {"NetworkMode": "bridge", "Binds": null, "VolumesFrom": []}});
    let body = made(&plain, &Network::Of("p1".into()));
    assert_eq!(body["HostConfig"].get("Binds"), Some(&Value::Null));
}

#[test]
fn a_container_that_was_made_as_a_member_has_no_network_to_go_back_to() {
    let born = json!({"Id": "1", "HostConfig": {"NetworkMode": "container:p1"}});
    let moved = made(&born, &Network::OfSuccessor("p2".into()));
    let free = made(&inspected(&moved), &Network::Before);
    assert_eq!(free["HostConfig"]["NetworkMode"], "bridge");
}

#[test]
fn limits_and_devices_are_described_as_engines_take_them() {
    let limits =
        json!([{"Name": "RLIMIT_NOFILE", "Soft": 1, "Hard": 2}, {"Name": "nproc", "Soft": 3, "Hard": 4}]);
    let answer = json!({"Id": "1", "HostConfig": {"Ulimits": limits, "MemorySwappiness": -1, "ContainerIDFile": "/run/cid",
        "Devices": [{"PathOnHost": "/dev/net/tun", "PathInContainer": "/dev/net/tun", "CgroupPermissions": ""}]}});
    let host = made(&answer, &Network::Named("host".into()))["HostConfig"].take();
    assert_eq!(host["Devices"][0]["CgroupPermissions"], "rwm");
    let name = |index: usize| host["Ulimits"][index]["Name"].clone();
    assert_eq!((name(0), name(1)), (json!("nofile"), json!("nproc")));
    assert_eq!(
        (host.get("MemorySwappiness"), host.get("ContainerIDFile")),
        (None, None)
    );
}

#[test]
fn what_a_pod_forbids_comes_back_when_it_is_left() {
    let mut old = web();
    old["HostConfig"]["Sysctls"] = json!({"net.core.somaxconn": "9", "kernel.msgmax": "9000"});
    let member = made(&old, &Network::Of("p1".into()));
    assert_eq!((member.get("ExposedPorts"), member.get("Hostname")), (None, None));
    assert_eq!(
        member["HostConfig"]["Sysctls"],
        json!({"kernel.msgmax": "9000"}),
        "all members share the pod's"
    );
    let moved = made(&inspected(&member), &Network::OfSuccessor("p2".into()));
    assert_eq!(moved["HostConfig"]["NetworkMode"], "container:p2");
    let free = made(&inspected(&moved), &Network::Before);
    for field in ["PortBindings", "Sysctls", "NetworkMode"] {
        assert_eq!(free["HostConfig"][field], old["HostConfig"][field], "{field}");
    }
    assert_eq!(free["ExposedPorts"], json!({"80/tcp": {}}));
    assert_eq!(free["Labels"], json!({"tier": "front"}));
}

#[test]
fn a_network_of_the_engine_is_taken_as_it_was_or_plain() {
    let member = inspected(&made(&web(), &Network::Of("p1".into())));
    let host = made(&member, &Network::Named("host".into()))["HostConfig"].take();
    assert_eq!(
        (&host["NetworkMode"], host.get("PortBindings")),
        (&json!("host"), None)
    );
    let bridge = made(&member, &Network::Named("bridge".into()))["HostConfig"].take();
    assert_eq!(bridge["PortBindings"], web()["HostConfig"]["PortBindings"]);
}
