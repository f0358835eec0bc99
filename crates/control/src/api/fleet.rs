//! The fleet as a whole: its name, its starting policy and its mesh range, and whether its addresses lead back to it.

use super::body::Body;
use crate::{advertise, core::Core, mesh, open::local_networks, refusal::Refusal, store::NewActivity};
use axum::{Json, extract::State};
use bytes::Bytes;
use flotilla_identity::{ControlTrust, MaterialError, agent_config};
use flotilla_link::{DialError, Proxies, Target, call};
use flotilla_protocol::{
    Code,
    activity::{Action, Actor},
    api::{Fleet, ReachableAt, StartingPolicy, UpdateFleet},
    endpoint::Endpoint,
};
use futures_util::future::join_all;
use http::Request;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::timeout;

const NAME_CHARS: usize = 64;

/// Each is tried by every device that dials, so there are not many.
const ADDED: usize = 16;

/// A person waits for this test.
const TEST_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn show(State(core): State<Arc<Core>>) -> Json<Fleet> {
    Json(core.fleet())
}

pub(super) async fn update(
    State(core): State<Arc<Core>>,
    Body(request): Body<UpdateFleet>,
) -> Result<Json<Fleet>, Refusal> {
    let _changing = core.change.lock().await;
    let name = request.name.as_deref().map(parse_name).transpose()?;
    let added = request.added_endpoints.map(parse_added).transpose()?;
    if let Some(range) = &request.mesh_cidr {
        move_mesh(&core, range).await?;
    }
    if name.is_some() || request.starting_policy.is_some() {
        set(&core, name, request.starting_policy).await?;
    }
    if let Some(added) = added {
        set_added(&core, added).await?;
    }
    Ok(Json(core.fleet()))
}

/// Each once, and none that could lead no device here.
fn parse_added(mut added: Vec<Endpoint>) -> Result<Vec<Endpoint>, Refusal> {
    let mut once = BTreeSet::new();
    added.retain(|endpoint| once.insert(endpoint.clone()));
    let refuse =
        |message: String| Err(Refusal::new(Code::InvalidInput, message).with_field("added_endpoints"));
    if added.len() > ADDED {
        return refuse(format!(
            "At most {ADDED} addresses can be added. Remove those that lead nowhere."
        ));
    }
    match added.iter().find(|endpoint| advertise::is_useless(endpoint)) {
        Some(useless) => refuse(format!(
            "{useless} leads every device to itself. Write an address at which others reach this computer."
        )),
        None => Ok(added),
    }
}

/// Replaces the addresses that people added, and tells devices.
async fn set_added(core: &Core, added: Vec<Endpoint>) -> Result<(), Refusal> {
    let mut row = core.cache.lock().fleet.clone();
    if row.added_endpoints == added {
        return Ok(());
    }
    let details = match added.as_slice() {
        [] => "No address is added to those that this computer has.".to_owned(),
        added => {
            let texts: Vec<_> = added.iter().map(Endpoint::to_string).collect();
            format!("Devices are also told: {}.", texts.join(", "))
        }
    };
    row.added_endpoints = added;
    core.store.save_fleet(&row).await?;
    let name = row.name.clone();
    core.cache.lock().fleet = row;
    core.find_endpoints();
    core.publish_fleet();
    record(core, name, details).await;
    Ok(())
}

fn parse_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(
            Refusal::new(Code::InvalidInput, "A fleet name has 1 to 64 characters.").with_field("name"),
        );
    }
    Ok(name.to_owned())
}

/// Names the fleet. The choice of how to begin is the first policy. Rules that were saved before any choice stand, and
/// the choice means nothing; another choice than the one that was made is refused.
async fn set(core: &Core, name: Option<String>, choice: Option<StartingPolicy>) -> Result<(), Refusal> {
    let now = core.clock.now();
    let (mut row, policy) = {
        let state = core.cache.lock();
        let policy = choice.and_then(|choice| mesh::begin_with(&state, choice, now));
        (state.fleet.clone(), policy)
    };
    if choice.is_some() && row.starting_policy.is_some_and(|made| Some(made) != choice) && policy.is_none() {
        return Err(Refusal::new(
            Code::Conflict,
            "The fleet has an access policy already. Change it on the Mesh page.",
        )
        .with_field("starting_policy"));
    }
    row.name = name.or(row.name);
    row.starting_policy = row.starting_policy.or(choice.filter(|_| policy.is_some()));
    core.store.save_fleet_with(&row, policy.as_ref()).await?;
    {
        let mut state = core.cache.lock();
        state.fleet = row.clone();
        if let Some(policy) = policy.clone() {
            state.set_policy(policy, now);
        }
    }
    core.publish_fleet();
    record(
        core,
        row.name,
        "The fleet's name or starting policy was set.".to_owned(),
    )
    .await;
    if let Some((policy, choice)) = policy.zip(choice) {
        let begun = match choice {
            StartingPolicy::Locked => "Begun locked: only this computer may reach devices.",
            StartingPolicy::OpenLab => "Begun as an open lab: every device may reach every other.",
        };
        mesh::record_policy(core, policy.revision, true, begun.to_owned()).await;
    }
    Ok(())
}

async fn move_mesh(core: &Core, range: &str) -> Result<(), Refusal> {
    let moved = mesh::move_to(&core.cache.lock(), range, &local_networks())?;
    let Some((range, row, devices)) = moved else {
        return Ok(());
    };
    core.store.move_range(&row, &devices).await?;
    let (name, old) = {
        let mut state = core.cache.lock();
        let old = std::mem::replace(&mut state.fleet, row.clone()).mesh_cidr;
        state.set_range(range, &devices, core.clock.now());
        (row.name, old)
    };
    core.publish_fleet();
    record(core, name, format!("The mesh moved from {old} to {range}.")).await;
    Ok(())
}

async fn record(core: &Core, target: Option<String>, details: String) {
    core.record(NewActivity {
        actor: Actor::Owner,
        action: Action::FleetUpdated,
        target,
        device: None,
        succeeded: true,
        details,
    })
    .await;
}

pub(super) async fn test_addresses(State(core): State<Arc<Core>>) -> Result<Json<Vec<ReachableAt>>, Refusal> {
    let tests = core.endpoints().into_iter().map(|endpoint| test(&core, endpoint));
    Ok(Json(join_all(tests).await))
}

/// Opens a connection as an agent would, and sees whether it is this control that answers.
async fn test(core: &Core, endpoint: Endpoint) -> ReachableAt {
    let answer = timeout(TEST_LIMIT, ask(core, &endpoint)).await;
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
    }
}

async fn ask(core: &Core, endpoint: &Endpoint) -> Result<(), String> {
    let tls = trust(core).map_err(|error| error.to_string())?;
    let target = Target {
        endpoints: vec![endpoint.clone()],
        last_good: None,
        tls,
        proxies: Proxies::default(),
    };
    // Nothing is served here; that the refusal is ours is what counts.
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
    let clock = core.clock.clone();
    let trust = ControlTrust {
        ca_pin: core.trust.ca.pin(),
        fleet: Some(core.trust.ca.fleet()),
    };
    agent_config(trust, None, flotilla_identity::Clock::new(move || clock.now()))
}

#[cfg(test)]
mod tests;
