//! What the activity log says of jobs, once for each act that ended.

use crate::{change::devices::mode_label, core::Core, store::NewActivity};
use flotilla_fleet::jobs::{Act, ActOutcome, JobRecord, Target, Work};
use flotilla_protocol::{activity::Action, inventory::ContainerAction, job::JobState};

/// The entries of the acts that ended.
pub(super) fn entries(core: &Core, record: &JobRecord, ended: &[usize]) -> Vec<NewActivity> {
    let each = ended.iter().filter_map(|nth| {
        let Act { target, outcome, .. } = record.acts.get(*nth)?;
        entry(core, record, target, outcome.as_ref()?)
    });
    each.collect()
}

fn entry(core: &Core, record: &JobRecord, on: &Target, outcome: &ActOutcome) -> Option<NewActivity> {
    let problem = outcome.problem.as_ref().map(|problem| problem.message.clone());
    let succeeded = outcome.state == JobState::Done;
    let (action, target, details) = match &record.work {
        Work::Placement { member } => {
            let done = if *member {
                "Put into the pod. It was recreated for that."
            } else {
                "Taken out of the pod. It was recreated for that."
            };
            let target = on.name.clone().or_else(|| outcome.target.clone());
            let details = interruption(problem.unwrap_or_else(|| done.to_owned()), outcome);
            (Action::ContainerMoved, target, details)
        }
        Work::Recreation => {
            let target = on.name.clone().or_else(|| outcome.target.clone());
            let details = interruption(problem.unwrap_or_else(|| "Recreated.".to_owned()), outcome);
            (Action::ContainerRecreated, target, details)
        }
        // A device that refused the order keeps its agent where it is, and its owner gets the steps to do by hand.
        Work::ModeChange { .. } if !outcome.underway && !succeeded => return None,
        Work::ModeChange { mode } => {
            let done = || format!("Its agent moved: {}.", mode_label(*mode));
            (Action::DeviceUpdated, None, problem.unwrap_or_else(done))
        }
        Work::Push { host, .. } => (Action::DevicePushed, Some(host.clone()), pushed(host, outcome)),
        Work::Bulk { action } => {
            let done = || capitalized(action.done()) + ".";
            let details = interruption(problem.unwrap_or_else(done), outcome);
            (word(*action), Some(on.label().to_owned()), details)
        }
        Work::Removal { volumes } => {
            let done = if *volumes {
                "Removed, with its volumes without a name."
            } else {
                "Removed."
            };
            let details = interruption(problem.unwrap_or_else(|| done.to_owned()), outcome);
            (Action::ContainerRemoved, Some(on.label().to_owned()), details)
        }
    };
    let name = {
        let state = core.cache.lock();
        let entry = state.device(on.device);
        entry.map_or_else(|| on.device_name.clone(), |entry| entry.row.name.clone())
    };
    let entry = NewActivity::new(record.caller.clone(), action, details).target(target);
    Some(entry.on(on.device, &name).succeeded(succeeded))
}

/// Says in addition that an agent had ended. Moving an agent always interrupts it, so that is not mentioned there.
fn interruption(what: String, outcome: &ActOutcome) -> String {
    match outcome.state {
        JobState::Done if outcome.interrupted => {
            format!("{what} The agent had ended meanwhile, and finished it afterwards.")
        }
        JobState::Undone if outcome.interrupted => {
            format!("{what} The agent had ended meanwhile, and undid it afterwards.")
        }
        _ => what,
    }
}

fn pushed(host: &str, outcome: &ActOutcome) -> String {
    match (&outcome.problem, outcome.state) {
        (None, _) => format!("Its agent was installed on {host} over SSH."),
        (Some(_), JobState::Canceled) => format!("The push to {host} was ended before it was done."),
        (Some(problem), _) => {
            format!(
                "Its agent was not installed on {host} over SSH. {}",
                problem.message
            )
        }
    }
}

/// An action's word in the activity log.
pub(crate) fn word(action: ContainerAction) -> Action {
    match action {
        ContainerAction::Start => Action::ContainerStarted,
        ContainerAction::Stop => Action::ContainerStopped,
        ContainerAction::Restart => Action::ContainerRestarted,
        ContainerAction::Pause => Action::ContainerPaused,
        ContainerAction::Unpause => Action::ContainerUnpaused,
        ContainerAction::Kill => Action::ContainerKilled,
    }
}

/// A word as it begins a sentence.
pub(crate) fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
