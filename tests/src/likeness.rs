//! Whether a container that was made anew is like the one that it replaced, by how an engine describes both.

use serde_json::{Map, Value, json};

/// Fields that differ between any two containers, or change while one runs.
const ITS_OWN: [&str; 16] = [
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

/// Fields of an endpoint that a person asks for, and the names that follow from them.
const ASKED: [&str; 7] = [
    "IPAMConfig",
    "Links",
    "Aliases",
    "DriverOpts",
    "GwPriority",
    "NetworkID",
    "DNSNames",
];

/// Fields that a container in a pod can't have.
const OF_NETWORK: [&str; 13] = [
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

/// A description without what is made up for each container. Volumes without a name have one of 64 digits, which the
/// new container has to ask for by that name.
#[must_use]
pub fn likeness(answer: &Value) -> Value {
    let id = answer["Id"].as_str().unwrap_or_default();
    let short = id.get(..12).unwrap_or_default().to_owned();
    let mut like = answer.clone();
    let networks = like["NetworkSettings"]["Networks"].take();
    if let Some(whole) = like.as_object_mut() {
        whole.retain(|key, _| !ITS_OWN.contains(&key.as_str()));
    }
    like["Running"] = answer["State"]["Running"].clone();
    if like["Config"]["Hostname"] == short.as_str() {
        like["Config"]["Hostname"] = json!("made up");
    }
    like["NetworkSettings"] = networks.as_object().map(|all| endpoints(all, &short)).into();
    let mut mounts = answer["Mounts"].as_array().into_iter().flatten();
    let has_nameless = mounts.any(|mount| is_made_up(&mount["Name"]));
    if let Some(host) = like["HostConfig"].as_object_mut() {
        nameless(host, has_nameless);
    }
    if let Some(mounts) = like["Mounts"].as_array_mut() {
        for mount in mounts.iter_mut().filter(|mount| is_made_up(&mount["Name"])) {
            mount["Mode"] = Value::Null;
        }
        mounts.sort_by_key(|mount| mount["Destination"].to_string());
    }
    like
}

/// The same without all that a pod does not let it keep.
#[must_use]
pub fn likeness_in_pod(answer: &Value) -> Value {
    let mut like = likeness(answer);
    like["NetworkSettings"] = Value::Null;
    for part in ["Config", "HostConfig"] {
        if let Some(part) = like[part].as_object_mut() {
            part.retain(|key, _| !OF_NETWORK.contains(&key.as_str()));
        }
    }
    if let Some(labels) = like["Config"]["Labels"].as_object_mut() {
        labels.remove("io.flotilla.before-pod");
    }
    if let Some(sysctls) = like["HostConfig"]["Sysctls"].as_object_mut() {
        sysctls.retain(|key, _| !key.starts_with("net."));
    }
    like
}

/// What differs, each with its place.
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
    let asked = |endpoint: &Value| -> Value {
        let fields = endpoint.as_object().into_iter().flatten();
        let fields = fields.filter(|(key, _)| ASKED.contains(&key.as_str()));
        let mut asked: Map<String, Value> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
        for names in ["Aliases", "DNSNames"] {
            if let Some(list) = asked.get_mut(names).and_then(Value::as_array_mut) {
                list.retain(|name| name != short);
                list.sort_by_key(Value::to_string);
                if list.is_empty() {
                    asked.insert(names.to_owned(), Value::Null);
                }
            }
        }
        if asked.get("IPAMConfig") == Some(&json!({})) {
            asked.insert("IPAMConfig".to_owned(), Value::Null);
        }
        asked.into()
    };
    all.iter()
        .map(|(name, endpoint)| (name.clone(), asked(endpoint)))
        .collect()
}

/// Where there are volumes without a name, an empty list of binds is as good as none: it may have held theirs.
fn nameless(host: &mut Map<String, Value>, has_nameless: bool) {
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
