//! What it takes to recreate a container, and every reason against it, found out before anything is changed.

use super::{
    conflicts,
    copy_request::{CopyContext, CopyError, Network, copy_request},
    mounts::{Source, source_name},
};
use crate::{
    action::ActionError,
    attachment::{Dialect, Joins, Networks, UnresolvedNetwork},
    connection::is_not_found,
    engine_errors::{self, explain},
    labels, sharing, verbatim,
};
use bollard::{Docker, errors::Error, models::NetworkDisconnectRequest};
use serde_json::Value;

/// A container that is to be created.
#[derive(Debug)]
pub(crate) struct NewContainer {
    body: Value,
    joins: Joins,
}

impl NewContainer {
    /// Reads the container and what it needs in another network. Changes nothing.
    ///
    /// # Errors
    /// Why it can't be done, or would not leave everything as it was if it failed, or would harm other containers.
    pub(crate) async fn of(docker: &Docker, id: &str, network: &Network) -> Result<Self, ActionError> {
        let failed = |error| explain(error, id);
        let mut answer = verbatim::inspect(docker, id).await.map_err(failed)?;
        let id = answer["Id"].as_str().unwrap_or(id).to_owned();
        let name = answer["Name"].as_str().unwrap_or_default();
        let name = name.trim_start_matches('/').to_owned();
        may_be_replaced(&answer, &name)?;
        let context = context(docker, &mut answer, &name).await?;
        if let Some(service) = answer["Config"]["Labels"][labels::SWARM_SERVICE].as_str() {
            return Err(ActionError::swarm_task(&name, service));
        }
        let (body, joins) =
            copy_request(&answer, network, &context).map_err(|error| explain_copy_error(error, &name))?;
        // A member whose network is gone has to move, also where that takes something from another container.
        if !matches!(network, Network::OfSuccessor(_)) {
            conflicts::check_names(docker, &name).await?;
            sharing::check_borrowers(docker, &id, &name).await?;
            let runs = answer["State"]["Running"] == true;
            sharing::check_lenders(docker, &name, &body["HostConfig"], runs).await?;
            if runs {
                conflicts::check_addresses(docker, &id, &name, &joins.wanted).await?;
                conflicts::check_ports(docker, &id, &name, &body["HostConfig"]["PortBindings"]).await?;
            }
        }
        Ok(Self { body, joins })
    }

    /// Creates the container under a name; returns its id. It is not started, and not complete before [`Self::attach`].
    ///
    /// # Errors
    /// The engine's own.
    pub(crate) async fn make(&self, docker: &Docker, name: &str) -> Result<String, Error> {
        verbatim::create(docker, name, &self.body).await
    }

    /// Connects the created container to the networks in which it could not be created.
    ///
    /// # Errors
    /// The engine's own.
    pub(crate) async fn attach(&self, docker: &Docker, new: &str) -> Result<(), Error> {
        for (network, endpoint) in &self.joins.join {
            verbatim::connect(docker, new, network, endpoint).await?;
        }
        if let Some(network) = &self.joins.leave {
            let request = NetworkDisconnectRequest {
                container: new.to_owned(),
                force: None,
            };
            docker.disconnect_network(network, request).await?;
        }
        Ok(())
    }
}

fn may_be_replaced(answer: &Value, name: &str) -> Result<(), ActionError> {
    if answer["HostConfig"]["AutoRemove"] == true {
        return Err(ActionError::RemovesItself(name.to_owned()));
    }
    match answer["State"]["Status"].as_str() {
        Some("removing" | "dead") => Err(ActionError::BeingRemoved(name.to_owned())),
        _ => Ok(()),
    }
}

/// Reads what the request depends on, and removes the image's labels from the container's.
async fn context(docker: &Docker, answer: &mut Value, name: &str) -> Result<CopyContext, ActionError> {
    let failed = |error| explain(error, name);
    let image_id = answer["Image"].as_str().unwrap_or_default().to_owned();
    let image = match docker.inspect_image(&image_id).await {
        Err(error) if is_not_found(&error) => return Err(ActionError::ImageGone(name.to_owned())),
        image => image.map_err(failed)?.config.unwrap_or_default(),
    };
    labels::keep_in(&mut answer["Config"]["Labels"], &image.labels.unwrap_or_default());
    let networks = docker.list_networks(None).await.map_err(failed)?;
    let named = |network: bollard::models::Network| Some((network.id?, network.name.unwrap_or_default()));
    let version = docker.client_version();
    let info = docker.info().await.map_err(failed)?;
    Ok(CopyContext {
        image: image_name(docker, image_id, answer["Config"]["Image"].as_str()).await,
        has_entrypoint: image.entrypoint.is_some_and(|words| !words.is_empty()),
        networks: Networks::new(networks.into_iter().filter_map(named)),
        dialect: Dialect {
            api: (version.major_version, version.minor_version),
            device: info.name.unwrap_or_default(),
        },
        sources: sources(docker, &answer["HostConfig"]["VolumesFrom"])
            .await
            .map_err(failed)?,
    })
}

/// The image's name, where that still names the same image; else its id.
pub(super) async fn image_name(docker: &Docker, id: String, name: Option<&str>) -> String {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return id;
    };
    let named = docker.inspect_image(name).await.ok().and_then(|image| image.id);
    if named.as_ref() == Some(&id) {
        name.to_owned()
    } else {
        id
    }
}

/// Reads the containers whose volumes this one uses, as far as they still exist.
async fn sources(docker: &Docker, asked: &Value) -> Result<Vec<Source>, Error> {
    let mut found = Vec::new();
    for asked in asked.as_array().into_iter().flatten().filter_map(Value::as_str) {
        match verbatim::inspect(docker, source_name(asked)).await {
            Ok(answer) => found.push(Source {
                asked: asked.to_owned(),
                mounts: answer["Mounts"].as_array().cloned().unwrap_or_default(),
            }),
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn explain_copy_error(error: CopyError, name: &str) -> ActionError {
    let name = name.to_owned();
    match error {
        CopyError::LabelError(garbled) => ActionError::GarbledLabel {
            name,
            reason: garbled.to_string(),
        },
        CopyError::Network(UnresolvedNetwork::Gone(network)) => ActionError::network_gone(&name, &network),
        CopyError::Network(UnresolvedNetwork::Ambiguous(network)) => ActionError::NetworkAmbiguous {
            name,
            network: engine_errors::name(&network),
        },
    }
}
