//! Moves the agent's own container into the network of another mode.
//!
//! The mover, a container of its own, does that and outlives this agent. The agent that runs when the mover has ended
//! reads the mover's result.

use super::{
    desk::Desk,
    entry::{Entry, Outcome},
};
use flotilla_engine::{ActionError, Begun, Engine, Ledger as _};
use flotilla_protocol::{Code, Problem, device::NetworkMode, job::JobState};

pub(super) async fn carry(engine: &Engine, entry: &Entry, mode: NetworkMode, desk: &mut Desk<'_>) -> Outcome {
    if !entry.interrupted {
        if let Err(error) = desk.write_underway().await {
            return Outcome::failed(ActionError::Unwritten(error.to_string()).into());
        }
        desk.fuse().burn();
        match engine.change_mode(mode, desk.fuse()).await {
            Ok(Begun::Already) => return Outcome::done(None),
            Ok(Begun::Moving) => {}
            Err(error) => return Outcome::failed(error.into()),
        }
        desk.fuse().burn();
        desk.say(&format!(
            "The agent is moved into the network of the mode {mode}."
        ));
        desk.tell_underway();
    }
    let said = engine.outlive_mover().await;
    if engine.present_mode() == Some(mode) {
        return Outcome::done(None);
    }
    let problem = said.unwrap_or_else(|| {
        Problem::new(
            Code::EngineRefused,
            "The agent was not moved, and runs where it did. Try again.",
        )
    });
    Outcome::of(JobState::Undone, problem)
}
