//! The access policy. It is saved as a whole, and only when it passes its own tests.

mod review;

pub(crate) use review::{explain, review};

use super::{Change, Effect, Effects};
use crate::{
    cache::State,
    core::Core,
    refusal::Refusal,
    store::{DeviceRow, NewActivity, StoreError},
};
use flotilla_fleet::access::{Caller, Who};
use flotilla_policy as policy;
use flotilla_protocol::{
    Code, Timestamp,
    activity::{Action, Actor},
    api::{PolicyInForce, SetPolicy, StartingPolicy},
    name::DeviceName,
    policy::Policy,
};

/// Puts a policy in force, unless it has a flaw, fails a test, or was edited from an older revision. A policy that fails
/// a test is refused in the answer, because that has an effect: it is recorded.
pub(crate) async fn save(
    core: &Core,
    caller: &Caller,
    request: SetPolicy,
) -> Change<Result<PolicyInForce, Refusal>> {
    let _write_guard = core.write_lock.lock().await;
    let now = core.clock.now();
    let (current, subjects) = {
        let state = core.cache.lock();
        (state.policy.clone(), state.maps.subjects())
    };
    if request.revision.is_some_and(|edited| edited != current.revision) {
        return Err(Refusal(Code::Conflict.because(format!(
            "Revision {} of the policy was saved while you were editing. Compare before you save.",
            current.revision
        )))
        .with_field("revision"));
    }
    check_policy(&request.policy)?;
    let failing = policy::run_tests(&request.policy, &subjects);
    if !failing.is_empty() {
        let messages: Vec<_> = failing.into_iter().map(|failed| failed.message).collect();
        let message = format!("Not saved: {}.", messages.join("; "));
        let effects = Effects(vec![record(
            caller.actor(),
            (current.revision + 1, false),
            message.clone(),
        )]);
        return Ok((Err(Refusal(Code::PolicyTest.because(message))), effects));
    }
    let saved = successor(&current, request.policy, (&caller.who().to_string(), now));
    core.store.save_policy(&saved).await?;
    core.cache.lock().set_policy(saved.clone(), now);
    let rules = rule_count(saved.policy.rules.len());
    let details = format!("Revision {} with {rules}.", saved.revision);
    let effects = Effects(vec![record(caller.actor(), (saved.revision, true), details)]);
    Ok((Ok(saved), effects))
}

fn check_policy(policy: &Policy) -> Result<(), Refusal> {
    policy::check(policy)
        .map_err(|flaw| Refusal::invalid(format!("policy.{}", flaw.field()), flaw.to_string()))
}

/// The policy that follows `current`, with who saved it and when.
fn successor(current: &PolicyInForce, policy: Policy, (by, saved): (&str, Timestamp)) -> PolicyInForce {
    PolicyInForce {
        revision: current.revision + 1,
        policy,
        saved,
        by: by.to_owned(),
    }
}

/// The first policy, from the owner's starting choice; `None` once another policy was saved. *Locked* without an agent
/// on this computer allows nothing, and is completed when there is one.
pub(crate) fn starting_policy(
    state: &State,
    choice: StartingPolicy,
    (who, now): (&Who, Timestamp),
) -> Option<PolicyInForce> {
    let current = &state.policy;
    let this_computer = state
        .devices()
        .find(|entry| entry.row.this_computer && entry.row.revoked.is_none());
    let first = policy::starting(choice, this_computer.map(|entry| &entry.row.name));
    let was_chosen = state.fleet.starting_policy == Some(choice);
    let is_incomplete = current.revision == 1 && was_chosen && current.policy == Policy::default();
    let begins = current.revision == 0 || (is_incomplete && first != current.policy);
    begins.then(|| successor(current, first, (&who.to_string(), now)))
}

/// Puts the starting policy in force if it is due. The caller holds the write lock, or no other task runs yet.
pub(crate) async fn apply_starting_policy(core: &Core) -> Result<Effects, StoreError> {
    let now = core.clock.now();
    let due = {
        let state = core.cache.lock();
        let choice = state.fleet.starting_policy;
        choice.and_then(|choice| starting_policy(&state, choice, (&Who::Owner, now)))
    };
    let Some(policy) = due else {
        return Ok(Effects::default());
    };
    core.store.save_policy(&policy).await?;
    core.cache.lock().set_policy(policy.clone(), now);
    let details = "The fleet begins as its owner chose.".to_owned();
    Ok(Effects(vec![record(
        Actor::Control,
        (policy.revision, true),
        details,
    )]))
}

/// The policy with a renamed device's new name; `None` when the policy does not name that device.
pub(crate) fn follow_rename(
    current: &PolicyInForce,
    old: &DeviceName,
    new: &DeviceRow,
    (who, now): (&Who, Timestamp),
) -> Option<PolicyInForce> {
    let renamed = policy::renamed(&current.policy, old, &new.name);
    (renamed != current.policy).then(|| successor(current, renamed, (&who.to_string(), now)))
}

/// Records that the policy changed, or was refused.
pub(super) fn record(actor: Actor, (revision, succeeded): (u64, bool), details: String) -> Effect {
    let entry = NewActivity::new(actor, Action::PolicySaved, details).succeeded(succeeded);
    Effect::Record(entry.target(format!("revision {revision}")))
}

fn rule_count(rules: usize) -> String {
    match rules {
        1 => "1 rule".to_owned(),
        rules => format!("{rules} rules"),
    }
}
