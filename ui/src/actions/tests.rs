//! What is declared reaches every place, and what is chosen is never silently ignored.

mod fleet;
mod pages;

use super::{
    Acting, Action, ContainerObject, DeviceObject, Does, ImageObject, KINDS, Object, Place, StackObject,
    Tier, Work,
    action::Asking,
    batch::Batch,
    outcome::Outcome,
    places::{in_bulk, in_drawer, listed, row_menu_in},
};
use crate::{
    components::toast::Toaster,
    pages::dashboard::tests::device,
    store::{Collection, Keyed, Store},
};
use flotilla_protocol::{
    api::{Job, List, Row, Verb},
    device::{Attention, Device, DeviceStatus, NetworkMode},
    inventory::{Container, Image, Stack},
};
use leptos::prelude::*;
use std::sync::Arc;

const IDS: [&str; 4] = [
    "00000000-0000-7000-8000-000000000001",
    "00000000-0000-7000-8000-000000000002",
    "00000000-0000-7000-8000-000000000003",
    "00000000-0000-7000-8000-000000000004",
];

/// A fleet in which every declared action makes sense for something. `attic` is offline, `shed` is pending.
fn fleet() -> (Owner, Acting) {
    let owner = Owner::new();
    owner.set();
    let store = Store::provide();
    let named = |name, status, index: usize| Device {
        id: IDS[index].parse().unwrap(),
        mode: NetworkMode::Pause,
        ..device(name, status)
    };
    let mut nas = named("nas", DeviceStatus::Online, 0);
    nas.attention = vec![
        Attention::DockerDesktop,
        Attention::Cloned {
            hostname: "nas".to_owned(),
            address: "192.0.2.7".to_owned(),
            at: flotilla_protocol::Timestamp::UNIX_EPOCH,
            contests: None,
        },
    ];
    nas.link.tunneled = true;
    fill(
        store.devices,
        vec![
            nas,
            named("attic", DeviceStatus::Offline, 1),
            named("shed", DeviceStatus::Pending, 2),
            // Its name is the id of the first one.
            named(IDS[0], DeviceStatus::Online, 3),
        ],
    );
    let containers = vec![
        container(0, "web", "running", ""),
        container(0, "member", "exited", r#","pod":"member""#),
        container(0, "pause", "running", r#","pod":"pause""#),
        container(0, "agent", "running", r#","is_agent":true"#),
        container(0, "held", "paused", ""),
        container(1, "far", "exited", ""),
    ];
    fill(store.containers, containers);
    fill(
        store.stacks,
        vec![stack(0, "media"), stack(1, "home"), stack(1, "media")],
    );
    fill(store.images, vec![image(0)]);
    let acting = Acting::new(
        store,
        Toaster::provide(),
        Signal::derive(String::new),
        Arc::new(|_| {}),
    );
    (owner, acting)
}

fn fill<T: Keyed>(collection: RwSignal<Collection<T>>, items: Vec<T>) {
    let (unreachable_devices, seq) = (Vec::new(), 0);
    collection.update(|collection| {
        let list = List {
            items,
            unreachable_devices,
            seq,
        };
        let now = flotilla_protocol::Timestamp::UNIX_EPOCH;
        let ticket = collection.begin(now);
        collection.take(ticket, Ok(list), now);
    });
}

fn on<T: serde::de::DeserializeOwned>(device: usize, item: &str) -> Row<T> {
    Row {
        device: format!("d{device}").parse().unwrap(),
        device_id: IDS[device].parse().unwrap(),
        item: serde_json::from_str(item).unwrap(),
        as_of: flotilla_protocol::Timestamp::UNIX_EPOCH,
    }
}

fn container(device: usize, name: &str, state: &str, more: &str) -> Row<Container> {
    let item = format!(
        r#"{{"id":"{name}-id","name":"{name}","image":"i","state":"{state}","status":"","health":"none","stack":"media",
        "created":"2026-01-01T00:00:00Z","ports":[]{more}}}"#
    );
    on(device, &item)
}

fn stack(device: usize, name: &str) -> Row<Stack> {
    let item =
        format!(r#"{{"name":"{name}","services":[],"config_files":[],"running":1,"total":2,"unhealthy":0}}"#);
    on(device, &item)
}

fn image(device: usize) -> Row<Image> {
    on(
        device,
        r#"{"id":"sha256:01","tags":[],"digests":[],"size_bytes":1}"#,
    )
}

fn may_all(_: Verb, _: Option<&Device>) -> Option<String> {
    None
}

/// The objects of a kind for which an action makes sense.
fn samples<O: Object>(acting: Acting, action: &Action<O>) -> Vec<O> {
    let all = O::all(acting.store).into_iter();
    all.filter(|object| (action.offered)(object)).collect()
}

/// The verbs that a place lists for an object.
fn verbs_in<O: Object>(acting: Acting, object: &O, place: Place) -> Vec<String> {
    let declared =
        |actions: Vec<&'static Action<O>>| actions.iter().map(|action| action.verb.to_owned()).collect();
    match place {
        Place::RowMenu => {
            let menu = row_menu_in::<O>(acting)(&object.key());
            menu.into_iter().map(|item| item.label).collect()
        }
        Place::Drawer => declared(in_drawer::<O>().collect()),
        Place::Page => {
            let offers = listed(acting, object, Place::Page);
            offers.iter().map(|offer| offer.verb.to_owned()).collect()
        }
        Place::Bulk => declared(in_bulk::<O>().collect()),
        Place::Palette => {
            let kind = KINDS.iter().find(|kind| kind.kind == O::KIND);
            let of = |kind: &super::AnyObject| {
                let behind_verb = (kind.verbs)().into_iter().filter(|verb| {
                    let targets = (kind.targets)(acting, verb.slug);
                    targets.iter().any(|(found, _)| found.key == object.key())
                });
                let behind_verb: Vec<_> = behind_verb.map(|verb| verb.verb).collect();
                let behind_object = (kind.actions)(acting, &object.key());
                let verbs = behind_object.iter().map(|offer| offer.verb);
                verbs
                    .filter(|verb| behind_verb.contains(verb))
                    .map(str::to_owned)
                    .collect()
            };
            kind.map(of).unwrap_or_default()
        }
    }
}

fn reaches_every_place<O: Object>(acting: Acting) {
    for action in O::actions() {
        let objects = samples(acting, action);
        let object = objects.first();
        let object = object.unwrap_or_else(|| panic!("no object here can be: {}", action.verb));
        for place in Place::ALL {
            let excused = action
                .absent
                .iter()
                .chain(O::NOWHERE)
                .find(|(other, _)| *other == place);
            let is_listed = verbs_in(acting, object, place)
                .iter()
                .any(|verb| verb == action.verb);
            assert_eq!(
                is_listed,
                excused.is_none(),
                "{place:?} and \"{}\" of {:?}: {excused:?}",
                action.verb,
                O::KIND
            );
        }
    }
    let mut slugs: Vec<_> = O::actions().iter().map(|action| action.slug).collect();
    slugs.sort_unstable();
    let all = slugs.len();
    slugs.dedup();
    assert_eq!(slugs.len(), all, "two actions share a slug: {slugs:?}");
}

#[test]
fn no_place_forgets_an_action_that_does_not_say_why_it_is_absent() {
    let (_owner, acting) = fleet();
    reaches_every_place::<DeviceObject>(acting);
    reaches_every_place::<ContainerObject>(acting);
    reaches_every_place::<StackObject>(acting);
    reaches_every_place::<ImageObject>(acting);
}

#[test]
fn what_is_risked_decides_what_is_asked() {
    assert_eq!(Tier::Reversible.asking(1), Asking::Not);
    assert_eq!(Tier::Reversible.asking(2), Asking::Plainly);
    assert_eq!(Tier::Interrupts.asking(1), Asking::Plainly);
    assert_eq!(Tier::Recreatable.asking(1), Asking::AsDanger);
    assert_eq!(Tier::Lasting.asking(9), Asking::AsDangerTyped);
}

fn action<O: Object>(slug: &str) -> &'static Action<O> {
    Action::of_slug(slug).unwrap()
}

fn container_of(acting: Acting, name: &str) -> ContainerObject {
    let all = ContainerObject::all(acting.store);
    all.into_iter()
        .find(|container| container.name() == name)
        .unwrap()
}

#[test]
fn a_start_on_an_offline_device_says_why_it_does_nothing() {
    let (_owner, acting) = fleet();
    let far = container_of(acting, "far");
    let listed = KINDS.iter().flat_map(|kind| (kind.targets)(acting, "start"));
    let offer = listed
        .filter(|(found, _)| found.key == far.key())
        .map(|(_, offer)| offer);
    assert_eq!(offer.last().unwrap().reason.as_deref(), Some("d1 is offline."));
    let batch = Batch::sort(action("start"), vec![far], &may_all);
    assert_eq!(batch.refusal(), "Start far: d1 is offline.");
}

#[test]
fn a_question_says_who_is_left_out_and_why() {
    let (_owner, acting) = fleet();
    let all = ContainerObject::all(acting.store);
    let batch = Batch::sort(action("stop"), all, &may_all);
    let names: Vec<_> = batch.objects.iter().map(Object::name).collect();
    assert_eq!(names, ["held", "web"]);
    assert_eq!(batch.asking(), Asking::Plainly);
    let skipped = batch.skipped();
    assert_eq!(skipped[0], "1 of 6 is on an offline device and will be skipped.");
    assert!(
        skipped.iter().any(|words| words.starts_with("agent is left out")),
        "{skipped:?}"
    );
    assert!(
        skipped.iter().any(|words| words.starts_with("pause is left out")),
        "{skipped:?}"
    );
}

#[test]
fn what_one_may_not_do_is_listed_with_the_reason() {
    let (_owner, acting) = fleet();
    let denied = |verb, device: Option<&Device>| {
        let nas = device.is_some_and(|device| device.name.as_str() == "nas");
        (verb == Verb::Operate && nas).then(|| "Your role can't.".to_owned())
    };
    let web = container_of(acting, "web");
    let stop = action::<ContainerObject>("stop").reason(&web, &denied).unwrap();
    assert_eq!(stop.words(), "Your role can't.");
    assert_eq!(action::<ContainerObject>("copy-id").reason(&web, &denied), None);
}

fn sent<O: Object>(action: &Action<O>, objects: &[O]) -> String {
    let Does::Sends { one, several, .. } = &action.does else {
        panic!("it sends nothing");
    };
    let work = if objects.len() == 1 { one } else { several };
    match work {
        Work::Call(call) => format!("call {:?}", call(&objects[0])),
        Work::Job(call) => format!("job {:?}", call(objects)),
    }
}

#[test]
fn several_containers_are_one_job_and_one_is_a_call() {
    let (_owner, acting) = fleet();
    let (web, far) = (container_of(acting, "web"), container_of(acting, "far"));
    let one = sent(action("restart"), std::slice::from_ref(&web));
    assert!(one.starts_with("call") && one.contains("web-id"), "{one}");
    let several = sent(action("restart"), &[web, far]);
    assert!(several.starts_with("job"), "{several}");
    for part in ["/containers/actions", "web-id", "far-id", IDS[0], IDS[1]] {
        assert!(several.contains(part), "{part} is not in {several}");
    }
}

#[test]
fn stacks_are_restarted_as_one_job_on_their_own_containers_without_the_agent() {
    let (_owner, acting) = fleet();
    let mut stacks = StackObject::all(acting.store);
    let job = sent(action("restart"), &stacks);
    for own in ["web-id", "member-id", "far-id"] {
        assert!(job.contains(own), "{own} is not in {job}");
    }
    stacks.truncate(1);
    let job = sent(action("restart"), &stacks);
    assert!(job.contains("web-id") && job.contains("member-id"), "{job}");
    for other in ["far-id", "agent-id"] {
        assert!(!job.contains(other), "{other} is in {job}");
    }
}

#[test]
fn a_device_whose_name_is_the_id_of_another_is_not_taken_for_it() {
    let (_owner, acting) = fleet();
    let found = untrack(|| acting.store.lookup_device(IDS[0])).unwrap();
    assert_eq!(found.name.as_str(), "nas");
    let by_name = untrack(|| acting.store.lookup_device("attic")).unwrap();
    assert_eq!(by_name.id.to_string(), IDS[1]);
    for device in DeviceObject::all(acting.store) {
        let call = sent(action("revoke"), std::slice::from_ref(&device));
        assert!(
            call.contains(&format!("/devices/{}/revoke", device.device.id)),
            "{call}"
        );
    }
}

#[test]
fn what_a_job_did_not_do_stays_chosen_and_is_said_once() {
    let outcome = |name: &str, state: &str| {
        format!(
            r#"{{"device":"nas","device_id":"{}","container":"{name}-id","name":"{name}","state":"{state}"}}"#,
            IDS[0]
        )
    };
    let job = |state: &str, more: &str| -> Job {
        serde_json::from_str(&format!(
            r#"{{"id":"{0}","kind":"bulk","state":"{state}","title":"","caller":{{"kind":"owner"}},"began":"2026-01-01T00:00:00Z",
            "step":"","as_of":"2026-01-01T00:00:00Z"{more}}}"#,
            IDS[0]
        ))
        .unwrap()
    };
    let parts = format!(
        r#","outcomes":[{},{}],"problem":{{"code":"conflict","message":"1 of 2 containers was not stopped."}}"#,
        outcome("web", "done"),
        outcome("member", "failed")
    );
    let failed = Outcome::of_job(&job("failed", &parts));
    let (_owner, acting) = fleet();
    let (web, member) = (container_of(acting, "web"), container_of(acting, "member"));
    assert!(!failed.concerns(&web) && failed.concerns(&member));
    let stacks = StackObject::all(acting.store);
    let chosen: Vec<_> = stacks.iter().filter(|stack| failed.concerns(*stack)).collect();
    assert_eq!(
        chosen.iter().map(|stack| stack.name()).collect::<Vec<_>>(),
        ["media"]
    );
    assert_eq!(failed.words("stopped"), ["1 of 2 containers was not stopped."]);
    let done = Outcome::of_job(&job("done", ""));
    assert!(done.words("stopped").is_empty() && !done.concerns(&web));
    let canceled = Outcome::of_job(&job("canceled", ""));
    assert!(canceled.concerns(&web));
}
