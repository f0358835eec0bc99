//! Recreates a container: in the device's pod, outside of it, or where it is.

use super::{
    context::JobContext,
    record::{JobOutcome, JobRecord},
};
use crate::machine::AgentClock;
use flotilla_engine::{ActionError, Engine, Swap};
use flotilla_protocol::{
    Code,
    job::{JobRequest, JobState},
};

pub(super) async fn run(engine: &Engine, record: &JobRecord, context: &mut JobContext<'_>) -> JobOutcome {
    if let Some(swap) = record.swap.clone() {
        return outcome(engine.resume(swap, context).await, true);
    }
    if record.interrupted {
        return JobOutcome::failed(
            Code::Unavailable.because("The agent ended before it had begun. Try again."),
        );
    }
    let swap = match plan(engine, &record.request).await {
        Ok(Some(swap)) => swap,
        Ok(None) => return JobOutcome::done(record.request.container().map(str::to_owned)),
        Err(error) => return JobOutcome::failed(error.into()),
    };
    context.set_target(swap.name());
    outcome(engine.begin(swap, context).await, context.is_underway())
}

/// How the request is carried out; `None` where everything is as asked.
async fn plan(engine: &Engine, request: &JobRequest) -> Result<Option<Swap>, ActionError> {
    let now = AgentClock::system();
    match request {
        JobRequest::Placement { container, member } => engine.plan_placement(container, *member, now).await,
        JobRequest::Recreation { container } => engine.plan_recreation(container, now).await.map(Some),
        JobRequest::ModeChange { .. }
        | JobRequest::Action { .. }
        | JobRequest::Removal { .. }
        | JobRequest::Unknown => Ok(None),
    }
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
