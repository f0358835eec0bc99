//! Containers as plain JSON, with every field that the engine has.
//!
//! The client's types know the fields of one version of the API. Older and newer engines have other fields, and a
//! container that is recreated from the types would lose them silently.

use bollard::{
    Docker, body_full,
    errors::Error,
    models::{ContainerCreateBody, NetworkConnectRequest},
    query_parameters::CreateContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, pin_mut};
use serde_json::{Value, json};

/// The longest description that is read, in bytes. One has some kilobytes; a container with thousands of ports has a
/// megabyte.
const DESCRIPTION_BYTES: usize = 16 * 1024 * 1024;

/// A container's whole description.
///
/// # Errors
/// The engine's own. A description that is too long or no JSON counts as one that can't be read.
pub(crate) async fn inspect(docker: &Docker, id: &str) -> Result<Value, Error> {
    let answer = get(docker, id, "json".to_owned());
    pin_mut!(answer);
    let mut bytes = Vec::new();
    while let Some(part) = answer.next().await {
        bytes.extend_from_slice(&part?);
        if bytes.len() > DESCRIPTION_BYTES {
            bytes.clear();
            break;
        }
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// What a container wrote, as the engine keeps it; `query` says from when on, and how.
pub(crate) fn log(
    docker: &Docker,
    id: &str,
    query: &str,
) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
    get(docker, id, format!("logs?{query}"))
}

/// The bytes of an answer about a container, as they come.
fn get(docker: &Docker, id: &str, what: String) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
    // Of the client's calls, only an export returns the bytes as they come, so its request is redirected.
    let aimed = docker.clone().with_request_modifier(move |mut request| {
        let aim = request.uri().to_string();
        let aim = aim.strip_suffix("/export").map(|path| format!("{path}/{what}"));
        if let Some(aim) = aim.and_then(|aim| aim.parse().ok()) {
            *request.uri_mut() = aim;
        }
        request
    });
    aimed.export_container(id)
}

/// Creates a container; returns its id.
///
/// # Errors
/// The engine's own.
pub(crate) async fn create(docker: &Docker, name: &str, body: &Value) -> Result<String, Error> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let made = with_body(docker, body)
        .create_container(Some(options), ContainerCreateBody::default())
        .await?;
    Ok(made.id)
}

/// Connects a container to a network, both named by id.
///
/// # Errors
/// The engine's own.
pub(crate) async fn connect(
    docker: &Docker,
    container: &str,
    network: &str,
    endpoint: &Value,
) -> Result<(), Error> {
    let body = json!({"Container": container, "EndpointConfig": endpoint});
    with_body(docker, &body)
        .connect_network(network, NetworkConnectRequest::default())
        .await
}

/// The client, with this body in every request that it sends.
fn with_body(docker: &Docker, body: &Value) -> Docker {
    let text = body.to_string();
    docker.clone().with_request_modifier(move |mut request| {
        *request.body_mut() = body_full(text.clone().into());
        request
    })
}
