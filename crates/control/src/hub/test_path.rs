//! Makes a device probe every way to another one.

use crate::{
    core::Core,
    refusal::{Refusal, no_such_device},
    report::bounded,
};
use flotilla_link::CallError;
use flotilla_protocol::{
    Code,
    api::{Empty, Scope, TestPath},
    mesh::PATHS_PATH,
    path::PathAttempt,
};
use std::time::Duration;

/// How long the agent may take: it waits a few seconds for answers that may not come.
const LIMIT: Duration = Duration::from_secs(15);

/// What an agent calls a try by way of a relay begins so; the relay's name follows.
const RELAY: &str = "Relay ";

/// `view` is what the caller may view: relays on other devices are not named.
pub(crate) async fn test_path(
    core: &Core,
    view: &Scope,
    request: &TestPath,
) -> Result<Vec<PathAttempt>, Refusal> {
    let (from, to) = {
        let state = core.cache.lock();
        let find = |text: &str| {
            state
                .find_within(text, view)
                .cloned()
                .ok_or_else(|| no_such_device(text))
        };
        (find(&request.from)?, find(&request.to)?)
    };
    if from.row.id == to.row.id {
        return Err(Refusal(Code::InvalidInput.because("Choose two different devices.")).with_field("to"));
    }
    let (device, seen) = (&from.row.name, from.row.last_seen);
    let offline = || {
        let seen = seen
            .map(|at| format!(" It was last seen {}.", core.clock.moment(at)))
            .unwrap_or_default();
        Code::DeviceOffline.because(format!(
            "{device} is offline, so its paths can't be tested.{seen}"
        ))
    };
    let link = core.links.lookup(from.row.id).ok_or_else(offline)?;
    let path = format!("{PATHS_PATH}/{}/test", to.row.id);
    let answer = link.post::<Vec<PathAttempt>>(&path, &Empty {}, LIMIT).await;
    let attempts = answer
        .map(bounded)
        .map(|attempts| hide_relays(core, view, attempts));
    attempts.map_err(|error| {
        Refusal(match error {
            CallError::Closed => offline(),
            CallError::TimedOut(_) => Code::NoAnswer.because(format!(
                "{device} didn't answer within {} s. Try again.",
                LIMIT.as_secs()
            )),
            refused => refused.into(),
        })
    })
}

/// Attempts without the names of relays that run on devices which the caller may not view.
fn hide_relays(core: &Core, view: &Scope, mut attempts: Vec<PathAttempt>) -> Vec<PathAttempt> {
    let state = core.cache.lock();
    for attempt in &mut attempts {
        let relay = attempt.target.strip_prefix(RELAY);
        let host = relay.and_then(|name| state.find(name));
        if host.is_some_and(|host| !host.is_in(view)) {
            attempt.target = RELAY.trim_end().to_owned();
        }
    }
    attempts
}
