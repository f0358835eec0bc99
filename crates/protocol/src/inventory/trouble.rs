//! Which containers need a person's attention: the one rule by which they are counted, sorted and listed.

use super::{Container, ContainerState, Health};

/// Exit codes of a program that was told to end: 128 and the signal, which is SIGINT, SIGKILL or SIGTERM. An engine
/// stops containers by the last two. A program that ends by itself has other codes, unless memory ran out.
const TOLD_TO_END: [i64; 3] = [130, 137, 143];

/// Why a container needs a person's attention, what hurts most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It runs, and its health check fails.
    Unhealthy,
    /// It ends again and again.
    Restarting,
    /// The engine could not remove it.
    Dead,
    /// There was no memory left for it.
    OutOfMemory,
    /// The engine could not start it.
    NotStarted,
    /// It ended by itself with this exit code, which is not 0.
    Failed(i64),
}

impl Container {
    /// What is wrong with it, if anything. A container that was stopped, ended well or never ran is in no trouble.
    pub fn trouble(&self) -> Option<Trouble> {
        match (self.state, self.exit_code) {
            (ContainerState::Running, _) => (self.health == Health::Unhealthy).then_some(Trouble::Unhealthy),
            (ContainerState::Restarting, _) => Some(Trouble::Restarting),
            (ContainerState::Dead, _) => Some(Trouble::Dead),
            (ContainerState::Exited, _) if self.oom_killed => Some(Trouble::OutOfMemory),
            (ContainerState::Created | ContainerState::Exited, _) if self.failure.is_some() => {
                Some(Trouble::NotStarted)
            }
            (ContainerState::Exited, Some(code)) if code != 0 && !TOLD_TO_END.contains(&code) => {
                Some(Trouble::Failed(code))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: &str, health: &str, exit_code: Option<i64>, oom_killed: bool) -> Container {
        let value = serde_json::json!({
            "id": "1", "name": "a", "image": "b", "state": state, "status": "", "health": health, "ports": [],
            "created": "2026-01-01T00:00:00Z", "exit_code": exit_code, "oom_killed": oom_killed,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_ended_by_itself_badly_is_trouble_and_what_was_stopped_is_not() {
        let ended = |code| container("exited", "none", code, false).trouble();
        assert_eq!(ended(Some(3)), Some(Trouble::Failed(3)));
        assert_eq!(ended(Some(139)), Some(Trouble::Failed(139)));
        for calm in [None, Some(0), Some(130), Some(137), Some(143)] {
            assert_eq!(ended(calm), None, "{calm:?}");
        }
    }

    #[test]
    fn what_memory_ran_out_for_was_not_stopped_by_a_person() {
        let killed = container("exited", "none", Some(137), true);
        assert_eq!(killed.trouble(), Some(Trouble::OutOfMemory));
        // Engines set the mark also on a container that lost one of its programs and goes on.
        assert_eq!(container("running", "healthy", None, true).trouble(), None);
    }

    #[test]
    fn what_could_not_be_started_is_trouble_and_what_was_never_started_is_not() {
        let mut clash = container("created", "none", None, false);
        assert_eq!(clash.trouble(), None);
        clash.failure = Some("port is already allocated".into());
        assert_eq!(clash.trouble(), Some(Trouble::NotStarted));
    }

    #[test]
    fn health_counts_only_while_it_runs() {
        let trouble = |state, health| container(state, health, Some(0), false).trouble();
        assert_eq!(trouble("running", "unhealthy"), Some(Trouble::Unhealthy));
        assert_eq!(trouble("exited", "unhealthy"), None);
        assert_eq!(trouble("running", "starting"), None);
        assert_eq!(trouble("restarting", "none"), Some(Trouble::Restarting));
        assert_eq!(trouble("dead", "none"), Some(Trouble::Dead));
        assert_eq!(trouble("paused", "none"), None);
        assert_eq!(trouble("created", "none"), None);
    }
}
