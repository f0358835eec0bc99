//! The fleet as a whole: its name, its starting policy and its mesh range, and whether control's addresses lead to this
//! control.

use super::{
    body::Body,
    caller::{Answer, Asks},
};
use crate::{
    advertise::is_mdns_name,
    change::fleet,
    core::Core,
    firewall::{self, Firewall},
};
use axum::Json;
use bytes::Bytes;
use flotilla_identity::{ControlTrust, MaterialError, agent_config};
use flotilla_link::{DialError, Proxies, Target, call};
use flotilla_protocol::{
    api::{Fleet, ReachableAt, UpdateFleet},
    endpoint::Endpoint,
};
use futures_util::future::{join, join_all};
use http::Request;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long one address may take to answer. A person waits for the test.
const TEST_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn show(asks: Asks) -> Json<Fleet> {
    Json(asks.core.fleet(&asks.scope()))
}

pub(super) async fn update(asks: Asks, Body(request): Body<UpdateFleet>) -> Answer<Fleet> {
    asks.complete(fleet::update(&asks.core, &asks.caller, request))
        .await
}

pub(super) async fn test_addresses(asks: Asks) -> Json<Vec<ReachableAt>> {
    let core = &asks.core;
    let tests = core.endpoints().into_iter().map(|endpoint| test(core, endpoint));
    let (firewall, mut tested) = join(firewall::check(core.fleet_addr.port()), join_all(tests)).await;
    for one in tested.iter_mut().filter(|one| one.reachable) {
        match &firewall {
            Firewall::Open => one.doubt = doubt(&one.endpoint),
            // A host name may resolve to a router that forwards the port, so the rule of this computer's firewall is
            // only a doubt.
            Firewall::Shut(reason) if one.endpoint.ip().is_some() => {
                one.reachable = false;
                one.reason = Some(reason.clone());
            }
            Firewall::Shut(doubt) | Firewall::Unknown(doubt) => one.doubt = Some(doubt.clone()),
        }
    }
    Json(tested)
}

/// Why some devices may not be able to resolve a name that this computer resolves.
fn doubt(endpoint: &Endpoint) -> Option<String> {
    is_mdns_name(endpoint).then(|| {
        format!(
            "An agent in a container finds {} only where a name server knows it, and names that end in .local are mostly \
             known to the devices themselves. For agents in containers, add an address, too: flotilla address add IP:{}",
            endpoint.host(),
            endpoint.port()
        )
    })
}

/// Opens a connection as an agent would, and sees whether this control answers.
async fn test(core: &Core, endpoint: Endpoint) -> ReachableAt {
    let answer = timeout(TEST_LIMIT, dial(core, &endpoint)).await;
    let reason = match answer {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(reason),
        Err(_) => Some(format!(
            "{endpoint} did not answer within {} s. Check firewalls on the way to it.",
            TEST_LIMIT.as_secs()
        )),
    };
    ReachableAt {
        endpoint,
        reachable: reason.is_none(),
        reason,
        doubt: None,
    }
}

async fn dial(core: &Core, endpoint: &Endpoint) -> Result<(), String> {
    let tls = trust(core).map_err(|error| error.to_string())?;
    let target = Target {
        endpoints: vec![endpoint.clone()],
        last_good: None,
        tls,
        proxies: Proxies::default(),
    };
    // The fleet port serves nothing at `/`. A refusal that arrives under this control's certificate proves that it
    // answered.
    let request = Request::get("/")
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    match call(&target, request).await {
        Ok(_) | Err(DialError::Refused { .. } | DialError::NotUnderstood { .. }) => Ok(()),
        Err(DialError::Untrusted { .. }) => Err(format!(
            "Another program answers at {endpoint}. Point the address or its port forwarding at this computer."
        )),
        Err(error) => Err(format!(
            "{error}. Check that {endpoint} leads to this computer and that no firewall blocks it."
        )),
    }
}

fn trust(core: &Core) -> Result<Arc<rustls::ClientConfig>, MaterialError> {
    let trust = ControlTrust {
        ca_pin: core.trust.ca.pin(),
        fleet: Some(core.trust.ca.fleet()),
    };
    agent_config(trust, None, core.clock.for_tls())
}

#[cfg(test)]
mod tests;
