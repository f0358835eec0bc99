//! Volumes and folders of a container, so that its copy sees the very same.
//!
//! A volume without a name gets its made-up name in the new container, since an engine would otherwise give that an
//! empty one. Such a volume then counts as named: `docker rm --volumes` leaves it where it is. An engine can be made to
//! keep it nameless only by `VolumesFrom` the old container, and that reference leads nowhere as soon as the old one is
//! gone: any other tool that recreates the container would fail on it.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A container whose volumes another one uses by `VolumesFrom`.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// Its entry in `VolumesFrom`, with `:ro` or the like.
    pub(super) asked: String,
    /// Its mounts, as an engine describes them.
    pub(super) mounts: Vec<Value>,
}

/// The name of the container in an entry of `VolumesFrom`.
pub(super) fn source_name(asked: &str) -> &str {
    asked.split_once(':').map_or(asked, |(name, _)| name)
}

/// Makes the settings of a new container lead to every mount of the old one.
pub(super) fn carry(host: &mut Map<String, Value>, mounts: &[Value], sources: &[Source]) {
    name_volumes(host, mounts);
    let named = destinations(host);
    let mut missing: Vec<_> = mounts
        .iter()
        .filter(|mount| !named.contains(point(mount)))
        .collect();
    // A source that still gives the same mounts is kept, and its mounts need not be named.
    let gives = |source: &&Source| {
        source
            .mounts
            .iter()
            .all(|its| named.contains(point(its)) || mounts.iter().any(|own| is_same(own, its)))
    };
    let kept: Vec<_> = sources.iter().filter(gives).collect();
    missing.retain(|mount| {
        !kept
            .iter()
            .any(|source| source.mounts.iter().any(|its| is_same(mount, its)))
    });
    if host.get("VolumesFrom").is_some_and(Value::is_array) {
        let kept: Vec<_> = kept.iter().map(|source| source.asked.clone()).collect();
        let value = if kept.is_empty() { Value::Null } else { kept.into() };
        host.insert("VolumesFrom".to_owned(), value);
    }
    let binds: Vec<Value> = missing.into_iter().filter_map(bind).map(Value::from).collect();
    if binds.is_empty() {
        return;
    }
    match host.get_mut("Binds").and_then(Value::as_array_mut) {
        Some(all) => all.extend(binds),
        None => drop(host.insert("Binds".to_owned(), binds.into())),
    }
}

/// Gives volumes that were asked for without a name the name that they got.
fn name_volumes(host: &mut Map<String, Value>, mounts: &[Value]) {
    for asked in host
        .get_mut("Mounts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let is_nameless = asked["Source"].as_str().is_none_or(str::is_empty);
        if asked["Type"] != "volume" || !is_nameless {
            continue;
        }
        let found = mounts
            .iter()
            .find(|mount| mount["Destination"] == asked["Target"]);
        if let Some(name) = found.and_then(|mount| mount["Name"].as_str()) {
            asked["Source"] = name.into();
        }
    }
}

/// Where the settings mount something.
fn destinations(host: &Map<String, Value>) -> BTreeSet<&str> {
    let list = |field: &str| host.get(field).and_then(Value::as_array).into_iter().flatten();
    let of_binds = list("Binds").filter_map(|bind| bind.as_str()?.split(':').nth(1));
    let of_mounts = list("Mounts").filter_map(|mount| mount["Target"].as_str());
    let of_tmpfs = host.get("Tmpfs").and_then(Value::as_object).into_iter().flatten();
    let of_tmpfs = of_tmpfs.map(|(point, _)| point.as_str());
    of_binds.chain(of_mounts).chain(of_tmpfs).map(trimmed).collect()
}

/// The mount point without the slash at its end, which engines drop.
fn trimmed(point: &str) -> &str {
    let trimmed = point.trim_end_matches('/');
    if trimmed.is_empty() { point } else { trimmed }
}

fn point(mount: &Value) -> &str {
    mount["Destination"].as_str().map_or("", trimmed)
}

/// Whether both are the same volume or folder at the same place.
fn is_same(one: &Value, other: &Value) -> bool {
    ["Type", "Name", "Source", "Destination"]
        .iter()
        .all(|field| one[field] == other[field])
}

fn bind(mount: &Value) -> Option<String> {
    let source = match mount["Type"].as_str()? {
        "volume" => &mount["Name"],
        "bind" => &mount["Source"],
        _ => return None,
    };
    let (source, destination) = (source.as_str()?, mount["Destination"].as_str()?);
    let access = if mount["RW"] == false { ":ro" } else { "" };
    Some(format!("{source}:{destination}{access}"))
}
