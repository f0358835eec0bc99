//! Puts a container into the device's pod, or takes it out.

use super::{
    desk::Desk,
    entry::{Entry, Outcome},
};
use crate::clock::AgentClock;
use flotilla_engine::{ActionError, Engine};
use flotilla_protocol::{Code, Problem, job::JobState};

pub(super) async fn carry(
    engine: &Engine,
    entry: &Entry,
    (container, member): (&str, bool),
    desk: &mut Desk<'_>,
) -> Outcome {
    if let Some(swap) = entry.swap.clone() {
        return outcome(engine.resume(swap, desk).await, true);
    }
    if entry.interrupted {
        return Outcome::failed(Problem::new(
            Code::Unavailable,
            "The agent ended before it had begun. Try again.",
        ));
    }
    let swap = match engine
        .plan_placement(container, member, AgentClock::system())
        .await
    {
        Ok(Some(swap)) => swap,
        Ok(None) => return Outcome::done(Some(container.to_owned())),
        Err(error) => return Outcome::failed(error.into()),
    };
    desk.name(swap.name());
    outcome(engine.begin(swap, desk).await, desk.is_underway())
}

fn outcome(carried: Result<String, ActionError>, underway: bool) -> Outcome {
    use ActionError::{BothGone, Canceled, NotPutBack};
    let error = match carried {
        Ok(new) => return Outcome::done(Some(new)),
        Err(error) => error,
    };
    let state = match &error {
        Canceled(_) => JobState::Canceled,
        NotPutBack { .. } | BothGone(_) => JobState::Failed,
        _ if underway => JobState::Undone,
        _ => JobState::Failed,
    };
    Outcome::of(state, error.into())
}
