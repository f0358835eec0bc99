//! Reports are kept within limits, and nothing is left out without a sign.

use super::*;
use crate::testbed::spoil::{self, assert_plain};
use flotilla_protocol::{
    inventory::{Inventory, Item, Kind, Volume},
    path::PathAttempt,
};
use serde_json::{Value, from_value, json};

fn report(value: Value) -> BoundedReport {
    from_value::<Report>(value).unwrap().into()
}

fn volume(name: String, mountpoint: String) -> Volume {
    from_value(json!({"name": name, "driver": "local", "used_by": [], "mountpoint": mountpoint})).unwrap()
}

fn inventory(volumes: impl IntoIterator<Item = Volume>) -> Inventory {
    Inventory {
        volumes: volumes.into_iter().collect(),
        ..Inventory::default()
    }
}

#[test]
fn figures_are_such_as_a_machine_can_have() {
    let usage = |cores| {
        report(json!({"report": "usage", "cpu_cores": cores, "memory_bytes": u64::MAX, "disk_bytes": 7}))
    };
    for (reported, kept) in [(1e300, 0.0), (-5.0, 0.0), (1e9, 65_536.0), (1.5, 1.5)] {
        let BoundedReport::Usage(usage) = usage(reported) else {
            panic!()
        };
        assert_eq!(usage.cpu_cores, kept, "{reported}");
        assert_eq!((usage.memory_bytes, usage.disk_bytes), ((1 << 53) - 1, 7));
    }
    let path = |rtt: f64| {
        json!({"peer": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "why": "direct.lan", "rtt_ms": rtt,
            "since": "2026-11-21T14:02:00Z", "received_bytes": 0, "sent_bytes": 0, "mtu": 1420})
    };
    for (reported, kept) in [(-1.0, None), (1e300, None), (1e9, None), (2.5, Some(2.5))] {
        let BoundedReport::Paths(paths) =
            report(json!({"report": "paths", "paths": [path(9.0), path(reported)]}))
        else {
            panic!()
        };
        assert_eq!(paths.len(), 1, "the last of a peer counts");
        assert_eq!(paths[0].rtt_ms, kept, "{reported}");
    }
}

#[test]
fn the_size_of_an_image_is_one_that_javascript_counts_exactly() {
    let most = (1u64 << 53) - 1;
    for (told, kept) in [
        (most - 1, most - 1),
        (most, most),
        (most + 2, most),
        (u64::MAX, most),
    ] {
        let image = from_value(json!({"id": "sha256:aa", "tags": [], "size_bytes": told})).unwrap();
        let Item::Image(image) = WeighedItem::from(Item::Image(image)).item else {
            panic!()
        };
        assert_eq!(image.size_bytes, kept, "{told}");
    }
}

#[test]
fn texts_are_cut_and_lists_are_too() {
    let long = "\u{1b}".to_owned() + &"x".repeat(1 << 20);
    let BoundedReport::Engine(EngineState::Denied { reason, .. }) =
        report(json!({"report": "engine", "state": "denied", "reason": long}))
    else {
        panic!()
    };
    assert!(reason.len() <= 1100 && reason.starts_with(r"\u{1b}xx") && reason.ends_with('…'));
    let candidate = json!({"kind": "local", "address": "192.0.2.7:1"});
    let BoundedReport::Mesh(mesh) = report(
        json!({"report": "mesh", "state": {"state": "starting"}, "revision": u64::MAX,
        "candidates": vec![candidate; 5000], "nat": "unknown"}),
    ) else {
        panic!()
    };
    assert_eq!(mesh.candidates.len(), 64);
}

#[test]
fn so_many_things_are_kept_and_the_rest_is_noted() {
    let many = |count: usize| inventory((0..count).map(|n| volume(n.to_string(), String::new())));
    let (holdings, partial) = Holdings::of(many(10_000));
    assert_eq!((holdings.len(), partial), (10_000, false));
    let (mut holdings, partial) = Holdings::of(many(10_001));
    assert_eq!((holdings.len(), partial), (10_000, true));
    let other = || WeighedItem::from(Item::Volume(volume("other".into(), String::new())));
    assert!(!holdings.put(other()), "there is no room");
    holdings.take(&ItemRef {
        kind: Kind::Volume,
        key: "7".into(),
    });
    assert!(
        holdings.put(other()) && holdings.put(other()),
        "there is room for one"
    );
    assert_eq!(holdings.len(), 10_000);
}

#[test]
fn things_have_so_much_room_together_and_each() {
    let large = |n: usize| volume(n.to_string(), "/".repeat(4096));
    let (mut holdings, partial) = Holdings::of(inventory((0..9_000).map(large)));
    assert!(partial && holdings.weight() <= 16 << 20 && holdings.len() > 3000);
    let all: Vec<_> = holdings.items().collect();
    for item in &all {
        holdings.take(&ItemRef {
            kind: item.kind(),
            key: item.key().to_owned(),
        });
    }
    assert_eq!(holdings, Holdings::default(), "what is gone weighs nothing");
    let labels = |value: &str| (0..9_000).map(|n| (n.to_string(), value.to_owned())).collect();
    let mut volume = volume("labels".into(), String::new());
    volume.labels = labels("");
    assert!(holdings.put(Item::Volume(volume.clone()).into()));
    assert_eq!(holdings.volumes()["labels"].item.labels.len(), 256);
    volume.labels = labels(&"x".repeat(2000));
    assert!(
        !holdings.put(Item::Volume(volume).into()),
        "it is too large by itself"
    );
    assert_eq!(holdings, Holdings::default(), "and what was known of it is old");
}

#[test]
fn a_device_of_2_000_containers_is_kept_whole_with_room_to_spare() {
    let hex = |n: usize| format!("{n:064x}");
    let labels: BTreeMap<_, _> = ["project", "volume", "version"]
        .map(|label| (format!("com.docker.compose.{label}"), "home-assistant".to_owned()))
        .into();
    let mut all = Inventory::default();
    for n in 0..2000 {
        let container = json!({"id": hex(n), "name": format!("home-assistant-web-{n}"), "state": "running",
            "image": format!("ghcr.io/home-assistant/home-assistant:2026.{n}"), "image_id": format!("sha256:{}", hex(n)),
            "status": "Up, healthy", "health": "healthy", "stack": "home-assistant", "service": "web",
            "ports": vec![json!({"private": 80, "protocol": "tcp", "public": n, "address": "0.0.0.0"}); 3],
            "created": "2026-11-21T14:02:00Z", "started": "2026-11-21T14:02:00Z", "network_mode": "home_default",
            "volumes": [format!("home-assistant_data-{n}")], "networks": ["home_default"]});
        let image = json!({"id": format!("sha256:{}", hex(n)), "size_bytes": 1, "created": "2026-11-21T14:02:00Z",
            "tags": [format!("ghcr.io/home-assistant/home-assistant:2026.{n}")], "used_by": 1,
            "digests": [format!("ghcr.io/home-assistant/home-assistant@sha256:{}", hex(n))]});
        let volume = json!({"name": format!("home-assistant_data-{n}"), "driver": "local", "labels": labels,
            "mountpoint": format!("/var/lib/docker/volumes/home-assistant_data-{n}/_data"),
            "used_by": [format!("home-assistant-web-{n}")], "stack": "home-assistant"});
        all.containers.push(from_value(container).unwrap());
        all.images.push(from_value(image).unwrap());
        all.volumes.push(from_value(volume).unwrap());
    }
    let names = all.containers.iter().map(|container| container.name.clone());
    let network = json!({"id": hex(1), "name": "home_default", "driver": "bridge", "subnets": ["172.18.0.0/16"],
        "containers": names.collect::<Vec<_>>(), "internal": false});
    all.networks.push(from_value(network).unwrap());
    let line = serde_json::to_string(&Report::Inventory(all.clone())).unwrap();
    let commas = line.bytes().filter(|byte| *byte == b',').count();
    assert!(
        line.len() < 3 << 20 && commas < 150_000,
        "{} bytes, {commas} commas",
        line.len()
    );
    let (holdings, partial) = Holdings::of(all.clone());
    assert!(!partial && holdings.weight() < 12 << 20, "{}", holdings.weight());
    let stored = holdings
        .items()
        .map(|item| serde_json::to_string(&item).unwrap().len());
    assert!(stored.sum::<usize>() < holdings.weight());
}

#[test]
fn a_long_report_comes_in_pieces() {
    let items = |count: usize| Report::Upsert {
        items: (0..count)
            .map(|n| Item::Volume(volume(n.to_string(), String::new())))
            .collect(),
    };
    let lengths = |count| -> Vec<usize> {
        let length = |piece| match piece {
            BoundedReport::Upsert(items) => items.len(),
            other => panic!("{other:?}"),
        };
        BoundedReport::from(items(count)).pieces().map(length).collect()
    };
    assert_eq!(lengths(600), [256, 256, 88]);
    assert_eq!(lengths(1), [1]);
    assert_eq!(BoundedReport::from(Report::Unknown).pieces().count(), 1);
}

#[test]
fn whatever_a_device_says_of_a_test_of_a_path_can_be_shown() {
    let attempt = PathAttempt {
        target: "Local 192.0.2.7:51820".into(),
        rtt_ms: Some(1.5),
    };
    let mut read = 0;
    for line in spoil::all(&json!([attempt])) {
        let line = line.to_string();
        let Ok(attempts) = serde_json::from_str::<Vec<PathAttempt>>(&line) else {
            continue;
        };
        read += 1;
        let attempts = bounded(attempts);
        let shown = serde_json::to_string(&attempts).unwrap();
        assert_plain(&serde_json::from_str(&shown).unwrap(), &line);
        assert_eq!(
            serde_json::from_str::<Vec<PathAttempt>>(&shown).unwrap(),
            attempts
        );
    }
    assert!(read > 10, "only {read} are answers");
}
