//! Moves the agent's own container into the network of another mode.
//!
//! The mover, a container of its own, does that and outlives this agent. The agent that runs when the mover has ended
//! reads the mover's result.

use super::{
    context::JobContext,
    record::{JobOutcome, JobRecord},
};
use flotilla_engine::{ActionError, Engine, Ledger as _, MoveStart};
use flotilla_protocol::{Code, device::NetworkMode, job::JobState};

pub(super) async fn run(
    engine: &Engine,
    record: &JobRecord,
    mode: NetworkMode,
    context: &mut JobContext<'_>,
) -> JobOutcome {
    if !record.interrupted {
        if let Err(error) = context.write_underway().await {
            return JobOutcome::failed(ActionError::Unwritten(error.to_string()).into());
        }
        context.fuse().burn();
        match engine.change_mode(mode, context.fuse()).await {
            Ok(MoveStart::AlreadyThere) => return JobOutcome::done(None),
            Ok(MoveStart::Moving) => {}
            Err(error) => return JobOutcome::failed(error.into()),
        }
        context.fuse().burn();
        context.add_line(&format!(
            "The agent is moved into the network of the mode {mode}."
        ));
        context.report_underway();
    }
    let problem = engine.wait_for_mover().await;
    if engine.present_mode() == Some(mode) {
        return JobOutcome::done(None);
    }
    let problem = problem.unwrap_or_else(|| {
        Code::EngineRefused.because("The agent was not moved, and runs where it did. Try again.")
    });
    JobOutcome::of(JobState::Undone, problem)
}
