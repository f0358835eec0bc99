//! What a policy would change, and why devices may or may not reach each other. Nothing is changed here.

use super::check_policy;
use crate::{
    core::Core,
    refusal::{Refusal, no_such_device},
};
use flotilla_policy as policy;
use flotilla_protocol::{
    api::{ExplainAccess, Explanation, PolicyReview, Reach, ReviewPolicy, Scope},
    id::DeviceId,
    policy::{Ports, Proto},
};

/// What a policy would change, before it is saved.
pub(crate) fn review(core: &Core, request: &ReviewPolicy) -> Result<PolicyReview, Refusal> {
    check_policy(&request.policy)?;
    let (current, subjects, range, in_use) = {
        let state = core.cache.lock();
        let in_use = state.pairs_in_use(core.clock.now());
        (
            state.policy.policy.clone(),
            state.maps.subjects(),
            state.maps.range(),
            in_use,
        )
    };
    let mut review = policy::review(&current, &request.policy, &subjects);
    let compile = |policy| policy::Compiled::new(policy, &subjects, range.into());
    let (before, after) = (compile(&current), compile(&request.policy));
    let named = |id: DeviceId| {
        subjects
            .iter()
            .find(|subject| subject.id == id)
            .map(|subject| &subject.name)
    };
    let cuts = in_use
        .into_iter()
        .filter(|(from, to)| before.connects(*from, *to) && !after.connects(*from, *to))
        .filter_map(|(from, to)| Some((named(from)?, named(to)?)));
    review.cuts = cuts
        .map(|(from, to)| Reach {
            from: from.to_string(),
            to: to.clone(),
            proto: Proto::Any,
            ports: Ports::Any.to_string(),
        })
        .collect();
    Ok(review)
}

/// Whether one device may reach another, for a caller who does not see the whole fleet: rules name devices and tags that
/// are not the caller's.
fn without_rules(explanation: Explanation) -> Explanation {
    let message = if explanation.allowed {
        "Allowed by a rule"
    } else {
        "Blocked: no rule matches"
    };
    Explanation {
        rule: None,
        message: message.to_owned(),
        nearest: Vec::new(),
        ..explanation
    }
}

/// Why one device of what the caller may view may or may not reach another one, and the path between them.
pub(crate) fn explain(core: &Core, view: &Scope, request: &ExplainAccess) -> Result<Explanation, Refusal> {
    if let Some(policy) = &request.policy {
        check_policy(policy)?;
    }
    let port = match request.port {
        Some(0) => return Err(Refusal::invalid("port", "A port is a number from 1 to 65535.")),
        Some(_) if !request.proto.has_ports() => {
            return Err(Refusal::invalid("port", "Only tcp and udp have ports."));
        }
        port => port,
    };
    let state = core.cache.lock();
    let id = |text: &str| -> Result<DeviceId, Refusal> {
        state
            .find_within(text, view)
            .map(|entry| entry.row.id)
            .ok_or_else(|| no_such_device(text))
    };
    let (from, to) = (id(&request.from)?, id(&request.to)?);
    let policy = request.policy.as_ref().unwrap_or(&state.policy.policy);
    let explanation = policy::explain(policy, &state.maps.subjects(), from, to, request.proto, port);
    let path = state
        .ends(from, to)
        .map(|ends| state.path_within(ends, view, core.clock.now()));
    let explanation = if view.is_all() {
        explanation
    } else {
        without_rules(explanation)
    };
    Ok(Explanation { path, ..explanation })
}
