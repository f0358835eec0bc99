//! Requests of the protocol beside the lines of the table that answer them.

mod cells;

use super::*;
use flotilla_protocol::{
    agent::PodPlacement,
    api::{
        ContainerRef, DeviceChange, Method, ModeChange, RelayChange, Request, Role, SshInstall,
        StartingPolicy, TagChange, TokenLifetime, Verb,
    },
    device::{NetworkMode, RelayPreference},
    inventory::ContainerAction,
    policy::{Policy, Proto},
};
use std::collections::BTreeSet;

/// A request as a client sends it.
struct Sample {
    request: &'static str,
    method: Method,
    path: String,
    body: Option<String>,
}

impl Sample {
    fn of<R: Request>(request: &R) -> Self {
        Self {
            request: std::any::type_name::<R>(),
            method: R::METHOD,
            path: request.path(),
            body: request.body().map(|body| serde_json::to_string(body).unwrap()),
        }
    }

    /// Whether the path is the route's, with any text where the route has a parameter.
    fn leads_to(&self, route: &Route) -> bool {
        let (path, _query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let (given, wanted) = (path.split('/'), route.path.split('/'));
        let fits =
            |(given, wanted): (&str, &str)| given == wanted || (wanted.starts_with('{') && !given.is_empty());
        given.clone().count() == wanted.clone().count()
            && given.zip(wanted).all(fits)
            && self.method == route.method
    }
}

/// At least one of each request.
fn samples() -> Vec<Sample> {
    let mut samples = of_people();
    samples.extend(of_devices());
    samples.extend(of_containers());
    samples.extend(of_the_mesh());
    samples
}

fn of_people() -> Vec<Sample> {
    let update = UpdateFleet {
        name: Some("Attic".into()),
        starting_policy: Some(StartingPolicy::Locked),
        mesh_cidr: Some("100.80.0.0/16".into()),
        added_endpoints: Some(vec!["192.0.2.1:7443".parse().unwrap()]),
    };
    let create = CreateToken {
        name: "ci".into(),
        roles: vec![Role::Operator],
        verbs: vec![Verb::Deploy],
        tags: vec!["prod".into()],
        devices: vec!["nas".into()],
        expires_seconds: Some(300),
    };
    let page = ListActivity {
        before: Some(5),
        limit: Some(9),
    };
    vec![
        Sample::of(&ProveControl {
            nonce: "n".into(),
            token: None,
        }),
        Sample::of(&OpenSession { code: "c".into() }),
        Sample::of(&CreateSignInLink {}),
        Sample::of(&ListSessions),
        Sample::of(&EndSession { session: "s".into() }),
        Sample::of(&GetCaller),
        Sample::of(&ListTokens),
        Sample::of(&create),
        Sample::of(&RevokeToken { token: "ci".into() }),
        Sample::of(&GetFleet),
        Sample::of(&UpdateFleet::default()),
        Sample::of(&update),
        Sample::of(&TestAddresses),
        Sample::of(&ListActivity::default()),
        Sample::of(&page),
        Sample::of(&VerifyActivity {}),
        Sample::of(&ListJobs::default()),
        Sample::of(&ListJobs { limit: Some(5) }),
        Sample::of(&GetJob { job: "j".into() }),
        Sample::of(&CancelJob { job: "j".into() }),
    ]
}

/// A change of everything that can be changed.
fn whole_change() -> DeviceChange {
    DeviceChange {
        name: Some("n/as".into()),
        tags: Some(TagChange {
            add: vec!["a".into()],
            remove: vec!["b".into()],
        }),
        relay: Some(RelayPreference::Always),
        host_kept: Some(true),
        vouched: Some(false),
    }
}

fn of_devices() -> Vec<Sample> {
    let nas = || "nas".to_owned();
    let add = AddDevice {
        name: Some(nas()),
        mode: Some(NetworkMode::Pause),
        relay: Some(RelayPreference::Never),
        tags: vec!["home".into()],
        expires_seconds: Some(900),
    };
    let change = whole_change();
    let mode = ModeChange {
        mode: NetworkMode::Bridge,
        expires_seconds: Some(900),
    };
    let lifetime = TokenLifetime {
        expires_seconds: Some(900),
    };
    let install = SshInstall {
        host: "root@nas:22".into(),
        as_root: true,
        skip_docker: false,
    };
    vec![
        Sample::of(&ListDevices),
        Sample::of(&AddDevice::default()),
        Sample::of(&add),
        Sample::of(&GetDevice { device: nas() }),
        Sample::of(&UpdateDevice {
            device: nas(),
            change,
        }),
        Sample::of(&UpdateDevice {
            device: nas(),
            ..UpdateDevice::default()
        }),
        Sample::of(&RemoveDevice { device: nas() }),
        Sample::of(&RevokeDevice { device: nas() }),
        Sample::of(&ChangeMode {
            device: nas(),
            change: mode,
        }),
        Sample::of(&RotateDevice {
            device: nas(),
            lifetime,
        }),
        Sample::of(&GetEnrollment { device: nas() }),
        Sample::of(&ListSshHosts),
        Sample::of(&PushDevice {
            device: nas(),
            install,
        }),
        Sample::of(&GetPush { device: nas() }),
        Sample::of(&EndPush { device: nas() }),
    ]
}

fn of_containers() -> Vec<Sample> {
    let (nas, container) = ("nas".to_owned(), "a/../b?c".to_owned());
    let act = ActOnContainer {
        device: nas.clone(),
        container: container.clone(),
        action: ContainerAction::Stop,
    };
    let place = PlaceInPod {
        device: nas.clone(),
        container,
        placement: PodPlacement { member: true },
    };
    let devices = vec![nas, "two words".into()];
    let web = || ContainerRef {
        device: "nas".into(),
        container: "web".into(),
    };
    let several = ActOnContainers {
        action: ContainerAction::Stop,
        containers: vec![web()],
    };
    let removal = RemoveContainers {
        containers: vec![web()],
        volumes: true,
    };
    let recreation = RecreateContainer {
        device: "nas".into(),
        container: "web".into(),
    };
    let placement = BeginPlacement {
        device: "nas".into(),
        container: "web".into(),
        member: true,
    };
    vec![
        Sample::of(&several),
        Sample::of(&removal),
        Sample::of(&recreation),
        Sample::of(&placement),
        Sample::of(&ListContainers::default()),
        Sample::of(&ListContainers { devices }),
        Sample::of(&ListStacks::default()),
        Sample::of(&ListImages::default()),
        Sample::of(&ListVolumes::default()),
        Sample::of(&ListNetworks::default()),
        Sample::of(&act),
        Sample::of(&place),
    ]
}

fn of_the_mesh() -> Vec<Sample> {
    let (nas, vps) = ("nas".to_owned(), "vps".to_owned());
    let explain = ExplainAccess {
        from: nas.clone(),
        to: vps.clone(),
        proto: Proto::Tcp,
        port: Some(22),
        policy: None,
    };
    let test = TestPath {
        from: nas.clone(),
        to: vps,
    };
    let change = RelayChange {
        relay: true,
        port: Some(7443),
        address: Some("192.0.2.1".into()),
        mbit_per_second: Some(50),
    };
    vec![
        Sample::of(&GetPolicy),
        Sample::of(&SetPolicy {
            revision: Some(3),
            ..SetPolicy::default()
        }),
        Sample::of(&ReviewPolicy {
            policy: Policy::default(),
        }),
        Sample::of(&explain),
        Sample::of(&ListPaths::default()),
        Sample::of(&ListPaths {
            devices: vec![nas.clone()],
        }),
        Sample::of(&test),
        Sample::of(&ListRelays),
        Sample::of(&PromoteRelay { device: nas, change }),
    ]
}

#[test]
fn every_request_leads_to_its_line_of_the_table() {
    let samples = samples();
    let mut answered = BTreeSet::new();
    for route in table() {
        let Some(call) = &route.call else { continue };
        let of_it: Vec<_> = samples
            .iter()
            .filter(|sample| sample.request == call.request)
            .collect();
        assert!(!of_it.is_empty(), "add a sample of {} to this file", call.request);
        for sample in of_it {
            assert!(
                sample.leads_to(&route),
                "{} {} is not {} {}",
                sample.method.as_str(),
                sample.path,
                route.method.as_str(),
                route.path
            );
            assert_eq!(sample.body.is_some(), call.body.is_some(), "{}", call.request);
        }
        assert!(answered.insert(call.request), "{} has two lines", call.request);
    }
    let served: BTreeSet<_> = samples.iter().map(|sample| sample.request).collect();
    assert_eq!(served, answered, "nothing but samples of what is served");
}

#[test]
fn what_clients_send_changes_only_on_purpose() {
    let lines: Vec<_> = samples()
        .iter()
        .map(|sample| {
            let words = [
                Some(sample.method.as_str()),
                Some(&sample.path),
                sample.body.as_deref(),
            ];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
