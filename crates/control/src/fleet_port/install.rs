//! `/install/*`: the installer and the agents, for callers with a token or a device's certificate.
//!
//! Fetching consumes nothing: a token is used up by enrolling.

use super::credential;
use crate::{
    change::devices,
    core::Core,
    provision::download,
    refusal::{Refusal, no_such_device},
};
use axum::{
    Extension, Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use flotilla_fleet::enrollment::TokenError::Used;
use flotilla_link::Caller;
use flotilla_protocol::{Code, Problem, endpoint::Endpoint};
use http::{HeaderMap, header};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/install/agent.sh", get(script))
        .route("/install/agent/{name}", get(program))
        .route("/install/agent-image/{name}", get(image))
}

async fn script(
    State(core): State<Arc<Core>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let held = credential::held_token(&core, &caller, &headers).await?;
    check(&core, &caller, &held).await?;
    let row = core.cache.read(held.row.device_id, |entry| entry.row.clone());
    let row = row.ok_or_else(|| no_such_device("of this command"))?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let requested: Option<Endpoint> = host.and_then(|host| host.parse().ok());
    let Some(endpoint) = requested.or_else(|| core.endpoints().into_iter().next()) else {
        return Err(Refusal(Code::InvalidInput.because("The request names no host.")));
    };
    let config = devices::config_file(&core, &row, &held.token.reveal(), held.row.expires);
    Ok(download::script(&config, &endpoint, &core.trust.leaf_key.pin(), &core.builds).await?)
}

async fn program(
    State(core): State<Arc<Core>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    admit(&core, &caller, &headers).await?;
    Ok(download::file(&core.builds.program(&name)?).await?)
}

async fn image(
    State(core): State<Arc<Core>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    admit(&core, &caller, &headers).await?;
    Ok(download::file(&core.builds.image(&name)?).await?)
}

/// Lets in a device of the fleet, or the bearer of a token.
async fn admit(core: &Core, caller: &Caller, headers: &HeaderMap) -> Result<(), Refusal> {
    if caller.certificate.is_some() && !headers.contains_key(header::AUTHORIZATION) {
        return credential::device(core, caller, None).await.map(|_| ());
    }
    let held = credential::held_token(core, caller, headers).await?;
    check(core, caller, &held).await
}

/// Refuses tokens that enroll no device. A token that enrolled its device still fetches until it expires: running the
/// install line again repairs an agent.
async fn check(core: &Core, caller: &Caller, held: &credential::HeldToken) -> Result<(), Refusal> {
    let now = core.clock.now();
    match held.row.record().check(&held.token, now) {
        Ok(()) => Ok(()),
        Err(Used) if now < held.row.expires => Ok(()),
        Err(refusal) => Err(credential::refuse(core, caller, Some(&held.row), Problem::from(refusal)).await),
    }
}
