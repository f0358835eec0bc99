//! Every kind of live frame, about devices that a reader may view and about others; and lists beside it.
//!
//! Two devices are tagged `prod` and two are not. The same things happen to both pairs; a reader of `prod` is told all
//! that happens to its own, and no name, id or number of the others.

use super::*;
use crate::{
    cache::{LinkUp, Reader},
    testbed::{Testbed, path_to, peer},
};
use flotilla_protocol::{
    agent::{ItemRef, Report},
    api::{LiveFrame, Push, PushState, ResourceRef},
    inventory::{Container, Inventory, Item, Kind},
    mesh::{MeshReport, MeshState, Nat, Relay},
    path::{PathReason, PeerPath},
};
use futures_util::FutureExt;
use http::Method;
use serde_json::json;

/// What a frame is about, so that a new kind of frame does not compile until it is looked at here.
fn kind(frame: &LiveFrame) -> &'static str {
    match (&frame.upsert, &frame.remove) {
        (Some(resource), _) => match resource {
            Resource::Fleet(_) => "fleet",
            Resource::Device(_) => "device",
            Resource::Container(_) => "container",
            Resource::Image(_) => "image",
            Resource::Volume(_) => "volume",
            Resource::Network(_) => "network",
            Resource::Stack(_) => "stack",
            Resource::Activity(_) => "activity",
            Resource::Enrollment(_) => "enrollment",
            Resource::Path(_) => "path",
            Resource::Policy(_) => "policy",
            Resource::Relay(_) => "relay",
            Resource::Push(_) => "push",
            Resource::Job(_) => "job",
            Resource::Unknown => unreachable!("control knows what it sends"),
        },
        (None, Some(gone)) => match gone {
            ResourceRef::Device { .. } => "device gone",
            ResourceRef::Item { .. } => "item gone",
            ResourceRef::Inventory { .. } => "inventory gone",
            ResourceRef::Path { .. } => "path gone",
            ResourceRef::Relay { .. } => "relay gone",
            ResourceRef::Unknown => unreachable!("control knows what it sends"),
        },
        (None, None) => "reset",
    }
}

const KINDS: usize = 14 + 5;

const SEEN: [&str; 2] = ["seen-a", "seen-b"];
const HUSH: [&str; 2] = ["hush-a", "hush-b"];

fn prod() -> Scope {
    Scope::Part {
        tags: BTreeSet::from(["prod".parse().unwrap()]),
        devices: BTreeSet::new(),
    }
}

/// Two devices of `prod`, two others, this computer, and a rule that lets all talk.
async fn bed() -> Testbed {
    let names = [&SEEN[..], &HUSH, &["hush-c"]].concat();
    let mut entries: Vec<_> = names
        .into_iter()
        .zip(1..)
        .map(|(name, nth)| peer(name, nth))
        .collect();
    for entry in &mut entries[..2] {
        entry.row.tags = vec!["prod".parse().unwrap()];
    }
    entries[4].row.this_computer = true;
    let bed = Testbed::with(crate::Ui::None, entries).await;
    let open = r#"{"policy":{"rules":[{"name":"open","from":["any"],"to":["any"]}]}}"#;
    let _: serde_json::Value = bed.put("/policy", open).await;
    bed
}

fn id(bed: &Testbed, name: &str) -> DeviceId {
    bed.core.cache.lock().find(name).unwrap().row.id
}

fn items(of: &str) -> Vec<Item> {
    [
        format!(r#"{{"kind":"container","id":"{of}","name":"{of}","image":"i","state":"running","status":"","health":"none","ports":[]}}"#),
        format!(r#"{{"kind":"image","id":"{of}","tags":[],"size_bytes":1}}"#),
        format!(r#"{{"kind":"volume","name":"{of}","driver":"local","used_by":[]}}"#),
        format!(r#"{{"kind":"network","id":"{of}","name":"{of}","driver":"bridge","subnets":[],"containers":[],"internal":false}}"#),
        format!(r#"{{"kind":"stack","name":"{of}","services":[],"running":1,"total":1,"unhealthy":0,"config_files":[]}}"#),
    ]
    .map(|text| serde_json::from_str(&text).unwrap())
    .into()
}

fn at_home(relay: RelayId) -> Report {
    Report::Mesh(MeshReport {
        state: MeshState::Starting,
        revision: 0,
        candidates: vec![],
        home_relay: Some(relay),
        nat: Nat::Unknown,
    })
}

fn relayed(peer: DeviceId, relay: RelayId, now: Timestamp) -> Report {
    let path = PeerPath {
        relay: Some(relay),
        ..path_to(peer, PathReason::RelayUdpBlocked, now)
    };
    Report::Paths { paths: vec![path] }
}

async fn call(bed: &Testbed, method: Method, path: &str, body: &str) {
    let (status, answer) = bed.call(method, path, body).await;
    assert!(status.is_success(), "{path}: {answer}");
}

/// Lets everything happen to a pair of devices that pages are told of.
async fn happen(bed: &Testbed, [a, b]: [&str; 2], relay: RelayId) {
    let (id_a, id_b, now) = (id(bed, a), id(bed, b), bed.core.clock.now());
    {
        let mut state = bed.core.cache.lock();
        for device in [id_a, id_b] {
            let remote = "192.0.2.7".to_owned();
            let link = LinkUp {
                since: now,
                remote,
                rtt_ms: None,
            };
            state.link_up(device, 7, link);
        }
        let gone = ItemRef {
            kind: Kind::Volume,
            key: a.to_owned(),
        };
        for report in [
            Report::Inventory(Inventory::default()),
            Report::Upsert { items: items(a) },
            Report::Remove { items: vec![gone] },
            at_home(relay),
            relayed(id_b, relay, now),
        ] {
            state.apply_report(id_a, report, now);
        }
        let push = Push {
            device_id: id_a,
            job: None,
            host: a.to_owned(),
            state: PushState::Connecting,
            lines: vec![],
            failure: None,
            tunneled: false,
            as_of: now,
        };
        let audience = Audience::Device(state.place(id_a));
        state.live.upsert(|| Upsert::new(audience, Resource::Push(push)));
    }
    let job = json!({
        "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "kind": "bulk", "state": "waiting", "title": a, "step": b,
        "device_ids": [id_a, id_b], "caller": {"kind": "owner"}, "began": now, "as_of": now,
    });
    let job = serde_json::from_value(job).unwrap();
    bed.core.cache.lock().publish_job(&job, now);
    // An enrollment, an entry of the activity log, and a relay that begins and ends.
    call(bed, Method::POST, &format!("/devices/{a}/rotate"), "").await;
    for relay in [true, false] {
        let body = format!(r#"{{"relay":{relay}}}"#);
        call(bed, Method::POST, &format!("/devices/{a}/relay"), &body).await;
    }
    // Paths that are gone with a device.
    call(bed, Method::POST, &format!("/devices/{a}/revoke"), "").await;
    call(bed, Method::DELETE, &format!("/devices/{a}"), "").await;
}

fn read(reader: &mut Reader) -> Vec<LiveFrame> {
    // Without the pauses that a task makes for others.
    let mut next = || tokio::task::unconstrained(reader.next()).now_or_never().flatten();
    let texts = std::iter::from_fn(&mut next);
    texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

fn kinds(frames: &[LiveFrame]) -> BTreeSet<&'static str> {
    frames.iter().map(kind).collect()
}

fn own_relay(bed: &Testbed) -> Relay {
    Relay {
        id: RelayId(bed.core.cache.lock().fleet.id.0),
        name: "controller".to_owned(),
        public_key: flotilla_protocol::key::PublicKey::from_bytes([9; 32]),
        endpoints: vec![],
        reflect_port: None,
    }
}

#[tokio::test]
async fn a_reader_of_a_part_is_told_all_of_it_and_nothing_of_the_rest() {
    let bed = bed().await;
    call(&bed, Method::POST, "/devices/hush-b/relay", r#"{"relay":true}"#).await;
    let hushed = ["hush-a", "hush-b", "hush-c"].map(|name| id(&bed, name).to_string());
    let relay = RelayId(id(&bed, "hush-b").0);
    let own = own_relay(&bed);
    bed.core.cache.lock().set_own_relay(Some(own.clone()));
    let subscribe = |scope| bed.core.cache.subscribe(scope);
    let (mut whole, mut part) = (subscribe(Scope::All), subscribe(prod()));

    for pair in [SEEN, HUSH] {
        happen(&bed, pair, relay).await;
        let at = bed.core.clock.now();
        let id = id(&bed, pair[1]);
        bed.core.cache.lock().apply_report(id, at_home(own.id), at);
    }
    bed.core.publish_fleet();
    let policy = r#"{"policy":{"rules":[]}}"#;
    let _: serde_json::Value = bed.put("/policy", policy).await;

    let (whole, part) = (read(&mut whole), read(&mut part));
    assert_eq!(kinds(&whole).len(), KINDS + 1, "{:?}", kinds(&whole));
    let untold: Vec<_> = kinds(&whole).difference(&kinds(&part)).copied().collect();
    assert_eq!(untold, ["policy"]);
    for frame in &part {
        let text = serde_json::to_string(frame).unwrap();
        let named = hushed.iter().find(|id| text.contains(*id));
        assert!(!text.contains("hush") && named.is_none(), "{text}");
    }
    let about = |frames: &[LiveFrame], name: &str| {
        let texts = frames.iter().map(|frame| serde_json::to_string(frame).unwrap());
        texts.filter(|text| text.contains(name)).count()
    };
    // Of a path to a device that is not its own, it is told nothing at all.
    let to_others = |frame: &&LiveFrame| {
        let text = serde_json::to_string(frame).unwrap();
        matches!(frame.upsert, Some(Resource::Path(_)))
            && text.contains("seen-a")
            && text.contains(r#""hush-"#)
    };
    let mixed = whole.iter().filter(to_others).count();
    assert!(mixed > 0);
    for name in ["seen-a", "seen-b"] {
        assert!(
            about(&part, name) > 0 && about(&part, name) <= about(&whole, name),
            "{name}"
        );
    }
    let listeners = |frames: &[LiveFrame]| {
        frames.iter().rev().find_map(|frame| match &frame.upsert {
            Some(Resource::Relay(facts)) if facts.id == own.id => Some(facts.devices),
            _ => None,
        })
    };
    assert_eq!((listeners(&whole), listeners(&part)), (Some(2), Some(1)));
}

#[tokio::test]
async fn a_device_that_comes_into_a_part_or_leaves_it_makes_its_readers_load_again() {
    let bed = bed().await;
    let (mut whole, mut part) = (
        bed.core.cache.subscribe(Scope::All),
        bed.core.cache.subscribe(prod()),
    );
    read(&mut part);
    read(&mut whole);
    let retag =
        async |name: &str, body: &str| call(&bed, Method::PATCH, &format!("/devices/{name}"), body).await;

    retag("hush-a", r#"{"tags":{"add":["prod"]}}"#).await;
    let told = read(&mut part);
    assert!(kinds(&told).contains("reset") && told.iter().any(|frame| kind(frame) == "path"));
    retag("hush-a", r#"{"tags":{"add":["edge"]}}"#).await;
    assert!(
        !kinds(&read(&mut part)).contains("reset"),
        "it was seen before and still is"
    );
    retag("hush-a", r#"{"tags":{"remove":["prod"]}}"#).await;
    let told = read(&mut part);
    assert_eq!(kinds(&told), BTreeSet::from(["reset"]));
    retag("hush-a", r#"{"tags":{"add":["lab"]}}"#).await;
    assert_eq!(read(&mut part), []);
    assert!(!kinds(&read(&mut whole)).contains("reset"));
}

#[tokio::test]
async fn lists_and_counts_of_a_part_are_those_of_a_fleet_without_the_rest() {
    let bed = bed().await;
    let (now, prod) = (bed.core.clock.now(), prod());
    {
        let mut state = bed.core.cache.lock();
        for name in [SEEN, HUSH].concat() {
            let device = state.find(name).unwrap().row.id;
            state.apply_report(device, Report::Upsert { items: items(name) }, now);
        }
    }
    let state = bed.core.cache.lock();
    let moment = |_| String::new();
    let devices = state.list_devices(&prod, now, moment);
    assert_eq!(devices.items.len(), 2);
    assert_eq!(devices.unreachable_devices.len(), 2);
    let containers = state.list_rows::<Container>(None, &prod, now, moment);
    assert_eq!(
        (containers.items.len(), containers.unreachable_devices.len()),
        (2, 2)
    );
    let hushed = [id_in(&state, "hush-a")];
    assert!(
        state
            .list_rows::<Container>(Some(&hushed), &prod, now, moment)
            .items
            .is_empty()
    );
    assert_eq!(state.list_paths(None, &prod, now).items.len(), 2);
    assert_eq!(state.list_paths(None, &Scope::All, now).items.len(), 20);
    assert_eq!(state.count_by_status(&prod).values().sum::<u32>(), 2);
    assert!(state.find_within("seen-a", &prod).is_some() && state.find_within("hush-a", &prod).is_none());
    assert_eq!(state.ids_in(&prod).unwrap().len(), 2);
    drop(state);
    assert!(bed.core.fleet(&Scope::All).this_computer.is_some());
    assert!(bed.core.fleet(&prod).this_computer.is_none());
}

fn id_in(state: &State, name: &str) -> DeviceId {
    state.find(name).unwrap().row.id
}
