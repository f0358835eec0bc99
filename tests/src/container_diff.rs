//! What differs between a container that was recreated and the one that it replaced, by the engine's descriptions of
//! both.

use serde_json::{Map, Value, json};

/// Fields that differ between any two containers, or change while one runs.
const OWN_TO_EACH: [&str; 16] = [
    "Id",
    "Created",
    "State",
    "ResolvConfPath",
    "HostnamePath",
    "HostsPath",
    "LogPath",
    "GraphDriver",
    "Storage",
    "RestartCount",
    "ExecIDs",
    "SizeRw",
    "SizeRootFs",
    "Driver",
    "Platform",
    "ImageManifestDescriptor",
];

/// Fields of a network endpoint that a request can set, and those that follow from them.
const REQUESTED_OF_ENDPOINTS: [&str; 7] = [
    "IPAMConfig",
    "Links",
    "Aliases",
    "DriverOpts",
    "GwPriority",
    "NetworkID",
    "DNSNames",
];

/// Fields that a container in a pod cannot have, since it has no network of its own.
const LOST_IN_POD: [&str; 13] = [
    "Hostname",
    "Domainname",
    "ExposedPorts",
    "MacAddress",
    "NetworkDisabled",
    "PortBindings",
    "PublishAllPorts",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "Links",
    "NetworkMode",
];

/// The part of a description that must be the same for a container and its replacement. An anonymous volume has a name
/// of 64 digits; the replacement has to mount it by that name, which changes how its mount is described.
#[must_use]
pub fn comparable(answer: &Value) -> Value {
    let id = answer["Id"].as_str().unwrap_or_default();
    let short = id.get(..12).unwrap_or_default().to_owned();
    let mut comparable = answer.clone();
    let networks = comparable["NetworkSettings"]["Networks"].take();
    if let Some(whole) = comparable.as_object_mut() {
        whole.retain(|key, _| !OWN_TO_EACH.contains(&key.as_str()));
    }
    comparable["Running"] = answer["State"]["Running"].clone();
    if comparable["Config"]["Hostname"] == short.as_str() {
        comparable["Config"]["Hostname"] = json!("made up");
    }
    comparable["NetworkSettings"] = networks.as_object().map(|all| endpoints(all, &short)).into();
    let mut mounts = answer["Mounts"].as_array().into_iter().flatten();
    let has_nameless = mounts.any(|mount| is_made_up(&mount["Name"]));
    if let Some(host) = comparable["HostConfig"].as_object_mut() {
        drop_nameless_volumes(host, has_nameless);
    }
    if let Some(mounts) = comparable["Mounts"].as_array_mut() {
        for mount in mounts.iter_mut().filter(|mount| is_made_up(&mount["Name"])) {
            mount["Mode"] = Value::Null;
        }
        mounts.sort_by_key(|mount| mount["Destination"].to_string());
    }
    comparable
}

/// The same without all that a container loses while it is in a pod.
#[must_use]
pub fn comparable_in_pod(answer: &Value) -> Value {
    let mut comparable = comparable(answer);
    comparable["NetworkSettings"] = Value::Null;
    for part in ["Config", "HostConfig"] {
        if let Some(part) = comparable[part].as_object_mut() {
            part.retain(|key, _| !LOST_IN_POD.contains(&key.as_str()));
        }
    }
    if let Some(labels) = comparable["Config"]["Labels"].as_object_mut() {
        labels.remove("io.flotilla.before-pod");
    }
    if let Some(sysctls) = comparable["HostConfig"]["Sysctls"].as_object_mut() {
        sysctls.retain(|key, _| !key.starts_with("net."));
    }
    comparable
}

/// Every value that differs, as `path: before → after`.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(place: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&format!("{place}.{key}"), &before[key], &after[key], found);
            }
        }
        _ if before != after => found.push(format!("{place}: {before} → {after}")),
        _ => {}
    }
}

fn endpoints(all: &Map<String, Value>, short: &str) -> Value {
    let requested = |endpoint: &Value| -> Value {
        let fields = endpoint.as_object().into_iter().flatten();
        let fields = fields.filter(|(key, _)| REQUESTED_OF_ENDPOINTS.contains(&key.as_str()));
        let mut kept: Map<String, Value> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
        for names in ["Aliases", "DNSNames"] {
            if let Some(list) = kept.get_mut(names).and_then(Value::as_array_mut) {
                list.retain(|name| name != short);
                list.sort_by_key(Value::to_string);
                if list.is_empty() {
                    kept.insert(names.to_owned(), Value::Null);
                }
            }
        }
        if kept.get("IPAMConfig") == Some(&json!({})) {
            kept.insert("IPAMConfig".to_owned(), Value::Null);
        }
        kept.into()
    };
    all.iter()
        .map(|(name, endpoint)| (name.clone(), requested(endpoint)))
        .collect()
}

/// Removes what names anonymous volumes. A list of binds that is empty after that counts as absent, since it may have
/// held only those.
fn drop_nameless_volumes(host: &mut Map<String, Value>, has_nameless: bool) {
    host.remove("ContainerIDFile");
    if let Some(binds) = host.get_mut("Binds").and_then(Value::as_array_mut) {
        binds.retain(|bind| !is_made_up(&bind.as_str().and_then(|bind| bind.split(':').next()).into()));
        if binds.is_empty() && has_nameless {
            host.insert("Binds".to_owned(), Value::Null);
        }
    }
    for mount in host
        .get_mut("Mounts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if is_made_up(&mount["Source"]) {
            mount.as_object_mut().map(|mount| mount.remove("Source"));
        }
    }
}

fn is_made_up(name: &Value) -> bool {
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    name.as_str()
        .is_some_and(|name| name.len() == 64 && name.bytes().all(is_digit))
}
