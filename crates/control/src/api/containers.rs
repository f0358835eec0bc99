//! Starts, stops and restarts a container on its device, and says in plain words when that is not possible.

use crate::{cache::Entry, core::Core, refusal::Refusal, roster::no_such_device, store::NewActivity};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_link::CallError;
use flotilla_protocol::{
    Code, Problem,
    activity::{Action, Actor},
    agent::CONTAINERS_PATH,
    api::Empty,
    inventory::{Container, ContainerAction},
};
use std::{sync::Arc, time::Duration};

/// How long an action may take: Docker waits 10 s for a container to stop, and a busy disk makes that longer.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn act(
    State(core): State<Arc<Core>>,
    Path((device, container, action)): Path<(String, String, String)>,
) -> Result<Json<Empty>, Refusal> {
    let action = ContainerAction::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| {
            Refusal::new(
                Code::NotFound,
                format!("A container can be started, stopped or restarted, not \"{action}\"."),
            )
        })?;
    let entry = core
        .cache
        .lock()
        .find(&device)
        .cloned()
        .ok_or_else(|| no_such_device(&device))?;
    let container = pick(&entry, &container)?.clone();
    let outcome = perform(&core, &entry, &container, action).await;
    let details = match &outcome {
        Ok(()) => format!("{}.", capitalized(past(action))),
        Err(problem) => problem.message.clone(),
    };
    core.record(NewActivity {
        actor: Actor::Owner,
        action: recorded(action),
        target: Some(container.name.clone()),
        device: Some((entry.row.id, entry.row.name.to_string())),
        succeeded: outcome.is_ok(),
        details,
    })
    .await;
    outcome?;
    Ok(Json(Empty {}))
}

async fn perform(
    core: &Core,
    entry: &Entry,
    container: &Container,
    action: ContainerAction,
) -> Result<(), Problem> {
    let (device, name) = (&entry.row.name, &container.name);
    if container.is_agent && action == ContainerAction::Stop {
        return Err(Problem::new(
            Code::Conflict,
            format!(
                "{name} is the Flotilla agent of {device}. Stopping it would cut {device} off; revoke {device} instead."
            ),
        ));
    }
    let offline = || {
        let seen = entry
            .row
            .last_seen
            .map(|at| format!(" It was last seen {}.", core.clock.moment(at)));
        Problem::new(
            Code::DeviceOffline,
            format!(
                "{device} is offline, so {name} can't be {}.{}",
                past(action),
                seen.unwrap_or_default()
            ),
        )
    };
    let link = core.hub.lookup(entry.row.id).ok_or_else(offline)?;
    let path = format!("{CONTAINERS_PATH}/{}/{}", container.id, action.as_str());
    let answer = link.post::<serde_json::Value>(&path, &Empty {}, LIMIT).await;
    answer.map(|_| ()).map_err(|error| match error {
        CallError::Closed => offline(),
        CallError::TimedOut(_) => Problem::new(
            Code::NoAnswer,
            format!("{device} didn't answer within {} s. {name} may still be {}.", LIMIT.as_secs(), past(action)),
        ),
        CallError::Malformed(what) => {
            tracing::warn!(device.id = %entry.row.id, problem = what, "an answer of an agent is not understood");
            Problem::new(Code::Internal, format!("{device} gave an answer that can't be understood. Update its agent."))
        }
        refused => refused.into(),
    })
}

/// The container that a person means: by id, by name, or by the beginning of an id that only one has.
fn pick<'a>(entry: &'a Entry, text: &str) -> Result<&'a Container, Refusal> {
    let containers = &entry.known.inventory.containers;
    if let Some(exact) = containers
        .iter()
        .find(|known| known.id == text || known.name == text)
    {
        return Ok(exact);
    }
    let mut beginning = containers
        .iter()
        .filter(|known| !text.is_empty() && known.id.starts_with(text));
    match (beginning.next(), beginning.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Refusal::new(
            Code::InvalidInput,
            format!(
                "Several containers on {} begin with {text}. Write more of the id.",
                entry.row.name
            ),
        )),
        _ => Err(Refusal::new(
            Code::ContainerNotFound,
            format!(
                "There is no container {text} on {}. It may have been removed.",
                entry.row.name
            ),
        )),
    }
}

fn past(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "started",
        ContainerAction::Stop => "stopped",
        ContainerAction::Restart => "restarted",
    }
}

fn recorded(action: ContainerAction) -> Action {
    match action {
        ContainerAction::Start => Action::ContainerStarted,
        ContainerAction::Stop => Action::ContainerStopped,
        ContainerAction::Restart => Action::ContainerRestarted,
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(chars)
        .collect()
}
