//! A container as the engine's list has it: less than a description tells, and all there is where the description
//! fails.

use super::{AttachedNetwork, ObservedContainer, compose, state};
use flotilla_protocol::{
    Timestamp,
    inventory::{Container, Port, collapsed},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What of a row in the list changes when the container does. How long it has run is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFingerprint(String);

/// Reads a row of the list; `None` where it does not even name its container.
pub(crate) fn listed(row: &Value) -> Option<(ObservedContainer, RowFingerprint)> {
    let id = text(row, "Id")?.to_owned();
    let word = text(row, "State").unwrap_or_default().to_lowercase();
    let notes: Vec<_> = in_parentheses(text(row, "Status").unwrap_or_default()).collect();
    let container_state = state::state(&word);
    let exit_code = notes.iter().find_map(|word| word.parse().ok());
    let exit_code = exit_code.filter(|_| state::has_ended(container_state));
    let labels = texts_of(&row["Labels"]);
    let networks = networks(row);
    let mounted = mounted(row);
    let container = Container {
        name: state::name(names(row), &id),
        image: text(row, "Image").unwrap_or_default().to_owned(),
        image_id: text(row, "ImageID").unwrap_or_default().to_owned(),
        state: container_state,
        status: state::status(&word, exit_code),
        health: health(row, &notes),
        stack: labels.get(compose::PROJECT).cloned(),
        service: labels.get(compose::SERVICE).cloned(),
        ports: ports(row),
        created: date(&row["Created"]).and_then(state::meaningful_date),
        started: None,
        finished: None,
        exit_code,
        failure: None,
        unread: None,
        oom_killed: false,
        restarts: 0,
        network_mode: text(&row["HostConfig"], "NetworkMode")
            .unwrap_or_default()
            .to_owned(),
        volumes: mounted.iter().map(|(name, _)| name.clone()).collect(),
        networks: networks.keys().cloned().collect(),
        // A label in a list may be the image's.
        is_agent: false,
        pod: None,
        found_as: Vec::new(),
        id,
    };
    let fingerprint = fingerprint(row, &notes, &container.health);
    let attached = attached(networks, &container.name);
    let observed = ObservedContainer {
        container,
        config_files: compose::config_files(&labels),
        folder: compose::folder(&labels),
        one_off: compose::is_one_off(&labels),
        mounted,
        declared: BTreeSet::new(),
        addresses: Vec::new(),
        attached,
        swarm_service: None,
        returns: false,
        failed_to_start: false,
    };
    Some((observed, fingerprint))
}

fn fingerprint(row: &Value, notes: &[&str], health: &impl std::fmt::Debug) -> RowFingerprint {
    let kept = ["Names", "ImageID", "Image", "State", "Ports"].map(|key| row[key].to_string());
    let endpoints = &row["NetworkSettings"];
    RowFingerprint(format!("{kept:?} {notes:?} {health:?} {endpoints}"))
}

/// The parts in parentheses of `Up 5 minutes (healthy)` or `Exited (1) 2 hours ago`.
fn in_parentheses(status: &str) -> impl Iterator<Item = &str> {
    let parts = status.split('(').skip(1);
    parts.filter_map(|part| Some(part.split_once(')')?.0))
}

fn health(row: &Value, notes: &[&str]) -> flotilla_protocol::inventory::Health {
    let status = text(&row["Health"], "Status");
    let mut notes = notes.iter().map(|word| word.trim_start_matches("health: "));
    let word = status.or_else(|| notes.find(|word| matches!(*word, "healthy" | "unhealthy" | "starting")));
    state::health(word.unwrap_or_default())
}

fn names(row: &Value) -> Vec<&str> {
    let names = row["Names"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

fn ports(row: &Value) -> Vec<Port> {
    let ports = row["Ports"].as_array().into_iter().flatten();
    let number = |port: &Value, key: &str| u16::try_from(port[key].as_u64()?).ok();
    let port = |port: &Value| {
        let public = number(port, "PublicPort").filter(|public| *public != 0);
        Some(Port {
            private: number(port, "PrivatePort")?,
            private_last: None,
            protocol: text(port, "Type").unwrap_or("tcp").to_owned(),
            public,
            address: text(port, "IP").filter(|_| public.is_some()).map(str::to_owned),
        })
    };
    collapsed(ports.filter_map(port).collect())
}

/// Names of its networks, and their ids where the engine tells them.
fn networks(row: &Value) -> BTreeMap<String, Option<String>> {
    let networks = row["NetworkSettings"]["Networks"]
        .as_object()
        .into_iter()
        .flatten();
    let id = |endpoint: &Value| text(endpoint, "NetworkID").map(str::to_owned);
    networks
        .map(|(name, endpoint)| (name.clone(), id(endpoint)))
        .collect()
}

fn attached(networks: BTreeMap<String, Option<String>>, container: &str) -> Vec<AttachedNetwork> {
    let of = |(network, id): (String, Option<String>)| AttachedNetwork {
        network,
        id: id.unwrap_or_default(),
        names: [container.to_owned()].into(),
    };
    networks.into_iter().map(of).collect()
}

fn mounted(row: &Value) -> Vec<(String, String)> {
    let mounts = row["Mounts"].as_array().into_iter().flatten();
    let volumes = mounts.filter(|mount| mount["Type"] == "volume");
    let volume = |mount: &Value| {
        let place = text(mount, "Destination").unwrap_or_default();
        Some((text(mount, "Name")?.to_owned(), place.to_owned()))
    };
    let mut mounted: Vec<_> = volumes.filter_map(volume).collect();
    mounted.sort();
    mounted
}

/// A moment, in seconds or as a date: engines differ.
pub(super) fn date(value: &Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => value.as_str()?.parse().ok(),
    }
}

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

pub(super) fn texts_of(value: &Value) -> HashMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    let entry = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    entries.filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::inventory::{ContainerState, Health};
    use serde_json::json;

    fn row(changes: &[(&str, Value)]) -> Value {
        let mut row = json!({
            "Id": "0123456789abcdef", "Names": ["/web"], "Image": "nginx:1", "ImageID": "sha256:aa", "Created": 1_772_000_000,
            "State": "running", "Status": "Up 5 minutes (healthy)", "HostConfig": {"NetworkMode": "media_default"},
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"}],
            "Mounts": [{"Type": "volume", "Name": "pg", "Destination": "/x"}, {"Type": "bind", "Source": "/srv"}],
            "NetworkSettings": {"Networks": {"media_default": {"NetworkID": "n1"}}},
            "Labels": {"com.docker.compose.project": "media", "app.flotilla.agent": "true"},
        });
        for (key, value) in changes {
            row[*key] = value.clone();
        }
        row
    }

    fn container(changes: &[(&str, Value)]) -> Container {
        listed(&row(changes)).unwrap().0.container
    }

    #[test]
    fn a_row_of_the_list_says_what_a_table_shows() {
        let (seen, _) = listed(&row(&[])).unwrap();
        let web = seen.container;
        assert_eq!((web.name.as_str(), web.status.as_str()), ("web", "Running"));
        assert_eq!(
            (web.state, web.health),
            (ContainerState::Running, Health::Healthy)
        );
        let ports: Vec<_> = web.ports.iter().map(ToString::to_string).collect();
        assert_eq!(ports, ["53/udp", "8080→80"]);
        assert_eq!(
            (web.volumes, web.networks),
            (vec!["pg".to_owned()], vec!["media_default".to_owned()])
        );
        assert_eq!(
            (web.stack.as_deref(), seen.attached[0].id.as_str()),
            (Some("media"), "n1")
        );
        assert!(!web.is_agent, "its image may say so");
    }

    #[test]
    fn odd_rows_are_rows_and_one_without_an_id_is_none() {
        let dead = container(&[
            ("Names", json!([])),
            ("State", json!("dead")),
            ("Status", json!("Dead")),
        ]);
        assert_eq!(
            (dead.name.as_str(), dead.state),
            ("0123456789ab", ContainerState::Dead)
        );
        let linked = container(&[("Names", json!(["/a/alias", "/real", "/b/alias"]))]);
        assert_eq!(linked.name, "real");
        let new = container(&[
            ("State", json!("hibernating")),
            ("Names", json!(null)),
            ("Ports", json!("none")),
        ]);
        assert_eq!(
            (new.state, new.status.as_str()),
            (ContainerState::Unknown, "Hibernating")
        );
        let ended = container(&[
            ("State", json!("exited")),
            ("Status", json!("Exited (3) 2 hours ago")),
        ]);
        assert_eq!((ended.exit_code, ended.status.as_str()), (Some(3), "Exited (3)"));
        assert!(listed(&json!({})).is_none() && listed(&json!(7)).is_none());
    }

    #[test]
    fn a_trace_changes_when_the_container_does_and_not_with_time() {
        let fingerprint = |changes: &[(&str, Value)]| listed(&row(changes)).unwrap().1;
        assert_eq!(
            fingerprint(&[]),
            fingerprint(&[("Status", json!("Up 3 hours (healthy)"))])
        );
        assert_ne!(
            fingerprint(&[]),
            fingerprint(&[("Status", json!("Up 3 hours (unhealthy)"))])
        );
        assert_ne!(fingerprint(&[]), fingerprint(&[("State", json!("exited"))]));
        assert_ne!(fingerprint(&[]), fingerprint(&[("Names", json!(["/db"]))]));
    }
}
