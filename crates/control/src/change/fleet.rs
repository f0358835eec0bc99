//! The fleet's name, starting policy, mesh range and added addresses: all of the requested changes, or none. And the
//! addresses at which devices reach control.
//!
//! Each part is decided on the present fleet, all parts are written in one transaction, and only then are they put in
//! force and published.

mod range;

use super::{Change, Effect, Effects, policy};
use crate::{
    advertise,
    cache::State,
    core::Core,
    refusal::Refusal,
    store::{DeviceRow, FleetRow, NewActivity},
};
use flotilla_fleet::access::{Caller, Who};
use flotilla_protocol::{
    Code, Timestamp,
    activity::Action,
    api::{Fleet, PolicyInForce, StartingPolicy, UpdateFleet, Verb},
    cidr::Ipv4Net,
    endpoint::Endpoint,
};
use std::collections::BTreeSet;

const NAME_CHARS: usize = 64;

/// Added addresses at most. Every device that dials tries each of them.
const MOST_ADDED: usize = 16;

/// Makes the requested changes.
pub(crate) async fn update(core: &Core, caller: &Caller, request: UpdateFleet) -> Change<Fleet> {
    let _write_guard = core.write_lock.lock().await;
    let now = core.clock.now();
    let change = FleetChange::decide(&core.cache.lock(), request, (caller.who(), now))?;
    let effects = if change.details.is_empty() {
        Effects::default()
    } else {
        change.write(core, caller, now).await?
    };
    Ok((core.fleet(&caller.scope(Verb::View)), effects))
}

/// A change that was decided and is not written yet.
struct FleetChange {
    row: FleetRow,
    /// The new mesh range, with every device at its address in it; `None` when the range stays.
    range: Option<(Ipv4Net, Vec<DeviceRow>)>,
    /// The fleet's first policy, when this change chooses it.
    policy: Option<PolicyInForce>,
    /// A sentence for the activity log about each part that changes.
    details: Vec<String>,
}

impl FleetChange {
    fn decide(state: &State, request: UpdateFleet, by: (&Who, Timestamp)) -> Result<Self, Refusal> {
        let mut change = Self {
            row: state.fleet.clone(),
            range: None,
            policy: None,
            details: Vec::new(),
        };
        let name = request.name.as_deref().map(parse_name).transpose()?;
        let added = request.added_endpoints.map(parse_added).transpose()?;
        if let Some(range) = &request.mesh_cidr {
            change.move_mesh(state, range)?;
        }
        if name.is_some() || request.starting_policy.is_some() {
            change.set_name_and_policy(state, name, request.starting_policy, by)?;
        }
        if let Some(added) = added.filter(|added| *added != change.row.added_endpoints) {
            change.details.push(describe_added(&added));
            change.row.added_endpoints = added;
        }
        Ok(change)
    }

    fn move_mesh(&mut self, state: &State, range: &str) -> Result<(), Refusal> {
        if let Some((range, row, devices)) = range::move_range(state, range, &advertise::local_networks())? {
            let old = std::mem::replace(&mut self.row.mesh_cidr, row.mesh_cidr);
            self.details
                .push(format!("The mesh moved from {old} to {range}."));
            self.range = Some((range, devices));
        }
        Ok(())
    }

    /// Sets the fleet's name and its starting policy, which is the first policy in force. A choice is ignored where the
    /// owner saved rules before choosing, and refused where another starting policy was chosen earlier.
    fn set_name_and_policy(
        &mut self,
        state: &State,
        name: Option<String>,
        choice: Option<StartingPolicy>,
        by: (&Who, Timestamp),
    ) -> Result<(), Refusal> {
        let policy = choice.and_then(|choice| policy::starting_policy(state, choice, by));
        let made = self.row.starting_policy;
        if choice.is_some() && made.is_some_and(|made| Some(made) != choice) && policy.is_none() {
            return Err(Refusal(
                Code::Conflict.because("The fleet has an access policy already. Change it on the Mesh page."),
            )
            .with_field("starting_policy"));
        }
        self.row.name = name.or(self.row.name.take());
        self.row.starting_policy = made.or(choice.filter(|_| policy.is_some()));
        self.policy = policy;
        let text = "The fleet's name or starting policy was set.";
        self.details.push(text.to_owned());
        Ok(())
    }

    async fn write(self, core: &Core, caller: &Caller, now: Timestamp) -> Result<Effects, Refusal> {
        let Self {
            row,
            range,
            policy,
            details,
        } = self;
        let devices = range.as_ref().map(|(_, devices)| devices.as_slice());
        core.store
            .save_fleet_change(&row, devices, policy.as_ref())
            .await?;
        let name = row.name.clone();
        {
            let mut state = core.cache.lock();
            state.fleet = row;
            if let Some((range, devices)) = &range {
                state.set_range(*range, devices, now);
            }
            if let Some(policy) = policy.clone() {
                state.set_policy(policy, now);
            }
        }
        let mut effects = find_endpoints(core);
        core.publish_fleet();
        let records = details.into_iter().map(|text| record(caller, name.clone(), text));
        effects.0.extend(records);
        if let Some(policy) = policy {
            let begun = match core.cache.lock().fleet.starting_policy {
                Some(StartingPolicy::OpenLab) => "Begun as an open lab: every device may reach every other.",
                _ => "Begun locked: only this computer may reach devices.",
            };
            effects.0.push(policy::record(
                caller.actor(),
                (policy.revision, true),
                begun.to_owned(),
            ));
        }
        Ok(effects)
    }
}

fn describe_added(added: &[Endpoint]) -> String {
    match added {
        [] => "No address is added to those that this computer has.".to_owned(),
        added => {
            let texts: Vec<_> = added.iter().map(Endpoint::to_string).collect();
            format!("Devices are also told: {}.", texts.join(", "))
        }
    }
}

/// The added addresses without duplicates. Refused are too many, and addresses that lead each device to itself.
fn parse_added(mut added: Vec<Endpoint>) -> Result<Vec<Endpoint>, Refusal> {
    let mut once = BTreeSet::new();
    added.retain(|endpoint| once.insert(endpoint.clone()));
    let refuse = |why: String| Err(Refusal::invalid("added_endpoints", why));
    if added.len() > MOST_ADDED {
        return refuse(format!(
            "At most {MOST_ADDED} addresses can be added. Remove those that lead nowhere."
        ));
    }
    match added.iter().find(|endpoint| advertise::is_useless(endpoint)) {
        Some(useless) => refuse(format!(
            "{useless} leads every device to itself. Write an address at which others reach this computer."
        )),
        None => Ok(added),
    }
}

fn parse_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name", "A fleet name has 1 to 64 characters."));
    }
    Ok(name.to_owned())
}

fn record(caller: &Caller, target: Option<String>, details: String) -> Effect {
    Effect::Record(NewActivity::new(caller.actor(), Action::FleetUpdated, details).target(target))
}

/// Finds again the addresses of this computer and those that people added.
pub(crate) fn find_endpoints(core: &Core) -> Effects {
    let added = core.cache.lock().fleet.added_endpoints.clone();
    let endpoints = advertise::endpoints(&core.advertised, &added, core.fleet_addr);
    set_endpoints(core, endpoints)
}

/// Replaces control's addresses. If that changes them, pages and maps get the new ones, and then agents.
pub(crate) fn set_endpoints(core: &Core, endpoints: Vec<Endpoint>) -> Effects {
    let mut current = core.endpoints.lock();
    if *current == endpoints {
        return Effects::default();
    }
    current.clone_from(&endpoints);
    drop(current);
    core.cache.lock().set_own_endpoints(&endpoints);
    core.publish_fleet();
    Effects(vec![Effect::SendAllSettings])
}
