//! The request that creates a container just like an existing one.

use super::mounts::{self, Source};
use crate::attachment::{Attachment, BEFORE_POD, Dialect, Joins, LabelError, Networks, UnresolvedNetwork};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The network in which a container is recreated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Network {
    /// Where it is.
    Same,
    /// In the network of the container with this id; the present attachment is kept in a label, to come back to.
    Of(String),
    /// In the network of the container with this id, for one whose network was another container's that is gone.
    OfSuccessor(String),
    /// Where it was before it came into a pod.
    Before,
    /// In one of the engine's own networks, `host` or `bridge`.
    Named(String),
}

/// What the request depends on beside the container's description.
#[derive(Debug, Clone, Default)]
pub(super) struct CopyContext {
    /// The name of its image, where that still names the same image, else the image's id.
    pub(super) image: String,
    /// Whether the image sets an entrypoint.
    pub(super) has_entrypoint: bool,
    pub(super) networks: Networks,
    pub(super) dialect: Dialect,
    /// Containers whose volumes it uses.
    pub(super) sources: Vec<Source>,
}

/// Why no such request can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyError {
    LabelError(LabelError),
    Network(UnresolvedNetwork),
}

/// The request that creates the same container in a network, and what is done before it starts. Nothing of the
/// engine's description is left out but what the engine made up itself.
///
/// # Errors
/// The container is to go back to its earlier network, and the label of that can't be read, or the network does not
/// exist any more. Where there is another way on, that is taken: a pod that moves has to move.
pub(super) fn copy_request(
    answer: &Value,
    network: &Network,
    context: &CopyContext,
) -> Result<(Value, Joins), CopyError> {
    let now = Attachment::of(answer, &context.dialect);
    let mut body = base_request(answer, context);
    let label = body["Labels"]
        .as_object_mut()
        .and_then(|labels| labels.remove(BEFORE_POD));
    let before = || match &label {
        Some(label) => Attachment::from_label(label.as_str().unwrap_or_default()).map(Some),
        None => Ok(None),
    };
    let mut remember = |attachment: Attachment| {
        if !body["Labels"].is_object() {
            body["Labels"] = json!({});
        }
        body["Labels"][BEFORE_POD] = attachment.to_label().into();
    };
    let attachment = match network {
        Network::Same => {
            if let Ok(Some(before)) = before() {
                remember(before);
            }
            now.withdraw(&mut body);
            now
        }
        Network::Of(id) => {
            remember(now.clone());
            now.withdraw(&mut body);
            Attachment::in_network_of(id)
        }
        Network::OfSuccessor(id) => {
            if let Ok(Some(before)) = before() {
                remember(before);
            }
            Attachment::in_network_of(id)
        }
        Network::Before => before()
            .map_err(CopyError::LabelError)?
            .unwrap_or_else(|| Attachment::named("bridge")),
        Network::Named(mode) => before()
            .ok()
            .flatten()
            .filter(|before| before.mode() == mode)
            .unwrap_or_else(|| Attachment::named(mode)),
    };
    let joins = attachment
        .apply(&mut body, &context.networks, &context.dialect)
        .map_err(CopyError::Network)?;
    Ok((body, joins))
}

fn base_request(answer: &Value, context: &CopyContext) -> Value {
    let part = |name: &str| answer[name].as_object().cloned().unwrap_or_default();
    let (mut config, mut host) = (part("Config"), part("HostConfig"));
    config.insert("Image".to_owned(), context.image.clone().into());
    // A missing entrypoint means the image's, so that there is none has to be said.
    let has_none = config.get("Entrypoint").is_none_or(Value::is_null);
    if has_none && context.has_entrypoint {
        config.insert("Entrypoint".to_owned(), json!([""]));
    }
    let mounts = answer["Mounts"].as_array().map_or(&[][..], Vec::as_slice);
    mounts::carry(&mut host, mounts, &context.sources);
    // The file to which the engine wrote the id of the old container.
    host.remove("ContainerIDFile");
    spell(&mut host);
    config.insert("HostConfig".to_owned(), host.into());
    config.into()
}

/// Spells settings as engines accept them: Podman shows some in a form that it refuses in a request.
fn spell(host: &mut Map<String, Value>) {
    if host
        .get("MemorySwappiness")
        .and_then(Value::as_i64)
        .is_some_and(|value| value < 0)
    {
        host.remove("MemorySwappiness");
    }
    let items = |value: Option<&mut Value>| value.and_then(Value::as_array_mut).map(std::mem::take);
    let mut limits = items(host.get_mut("Ulimits"));
    for limit in limits.iter_mut().flatten() {
        let name = limit["Name"]
            .as_str()
            .and_then(|name| name.strip_prefix("RLIMIT_"));
        if let Some(name) = name.map(str::to_lowercase) {
            limit["Name"] = name.into();
        }
    }
    host.extend(limits.map(|limits| ("Ulimits".to_owned(), limits.into())));
    let mut devices = items(host.get_mut("Devices"));
    for device in devices.iter_mut().flatten() {
        if device["CgroupPermissions"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
        {
            device["CgroupPermissions"] = "rwm".into();
        }
    }
    host.extend(devices.map(|devices| ("Devices".to_owned(), devices.into())));
}

#[cfg(test)]
mod tests;
