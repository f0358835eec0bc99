//! Puts a container into the device's pod, or takes it out.

use super::{
    context::JobContext,
    record::{JobOutcome, JobRecord},
};
use crate::machine::AgentClock;
use flotilla_engine::{ActionError, Engine};
use flotilla_protocol::{Code, job::JobState};

pub(super) async fn run(
    engine: &Engine,
    record: &JobRecord,
    (container, member): (&str, bool),
    context: &mut JobContext<'_>,
) -> JobOutcome {
    if let Some(swap) = record.swap.clone() {
        return outcome(engine.resume(swap, context).await, true);
    }
    if record.interrupted {
        return JobOutcome::failed(
            Code::Unavailable.because("The agent ended before it had begun. Try again."),
        );
    }
    let swap = match engine
        .plan_placement(container, member, AgentClock::system())
        .await
    {
        Ok(Some(swap)) => swap,
        Ok(None) => return JobOutcome::done(Some(container.to_owned())),
        Err(error) => return JobOutcome::failed(error.into()),
    };
    context.set_target(swap.name());
    outcome(engine.begin(swap, context).await, context.is_underway())
}

fn outcome(carried: Result<String, ActionError>, underway: bool) -> JobOutcome {
    use ActionError::{BothGone, Canceled, NotPutBack};
    let error = match carried {
        Ok(new) => return JobOutcome::done(Some(new)),
        Err(error) => error,
    };
    let state = match &error {
        Canceled(_) => JobState::Canceled,
        NotPutBack { .. } | BothGone(_) => JobState::Failed,
        _ if underway => JobState::Undone,
        _ => JobState::Failed,
    };
    JobOutcome::of(state, error.into())
}
