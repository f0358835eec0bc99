//! What a new container has to show before the old one is removed.

use super::swap::{Fault, Health, SeenContainer, State};
use bollard::models::{ContainerInspectResponse, HealthConfig};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What engines use where a health check sets no value.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;

/// How much longer than its settings say an engine may take for its checks.
const SLACK: Duration = Duration::from_secs(5);

/// The longest wait for a health check, however long its own settings allow: a person waits for the outcome.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    /// How long it must have run.
    pub(super) settle: Duration,
    pub(super) health: HealthGoal,
}

/// What the new container's health check has to report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthGoal {
    /// Nothing: it has no check, or the old container was not healthy either.
    Nothing,
    /// That it is healthy, within this time.
    Good(Duration),
    /// That it is not unhealthy within this time: the old one's check had not reported either.
    NotBad(Duration),
}

impl Proof {
    /// The proof that is asked for, by the old container's health.
    pub(super) fn of(answer: &ContainerInspectResponse, health: Health, settle: Duration) -> Self {
        let config = answer
            .config
            .as_ref()
            .and_then(|config| config.healthcheck.as_ref());
        let health = match (health, config) {
            (Health::Good, Some(config)) => HealthGoal::Good(longest(config)),
            (Health::Starting, Some(config)) => HealthGoal::NotBad(longest(config)),
            _ => HealthGoal::Nothing,
        };
        Self { settle, health }
    }

    /// Whether the new container is accepted, `up_for` after its start.
    pub(super) fn judge(&self, new: &SeenContainer, up_for: Duration) -> Result<bool, Fault> {
        match new.state {
            State::Ended(0) => return Ok(true),
            State::Ended(code) => return Err(Fault::EndedWith(code)),
            State::Restarting(code) if code != 0 => return Err(Fault::EndedWith(code)),
            _ => {}
        }
        if up_for < self.settle {
            return Ok(false);
        }
        match (&self.health, new.health) {
            (HealthGoal::Nothing, _) | (_, Health::None | Health::Good) => Ok(true),
            (_, Health::Bad) => Err(Fault::Unhealthy),
            (HealthGoal::Good(limit) | HealthGoal::NotBad(limit), Health::Starting) if up_for < *limit => {
                Ok(false)
            }
            (HealthGoal::Good(limit), Health::Starting) => Err(Fault::NotHealthyWithin(*limit)),
            (HealthGoal::NotBad(_), Health::Starting) => Ok(true),
        }
    }
}

/// The longest time that a check takes until it reports.
fn longest(check: &HealthConfig) -> Duration {
    let given = |nanoseconds: Option<i64>| {
        let nanoseconds = nanoseconds.and_then(|value| u64::try_from(value).ok());
        nanoseconds.filter(|value| *value > 0).map(Duration::from_nanos)
    };
    let interval = given(check.interval).unwrap_or(INTERVAL);
    let timeout = given(check.timeout).unwrap_or(TIMEOUT);
    let retries = check.retries.and_then(|value| u32::try_from(value).ok());
    let retries = retries.filter(|value| *value > 0).unwrap_or(RETRIES);
    let checks = interval
        .saturating_add(timeout)
        .saturating_mul(retries.saturating_add(1));
    let start = given(check.start_period).unwrap_or_default();
    start.saturating_add(checks).saturating_add(SLACK).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(state: State, health: Health) -> SeenContainer {
        SeenContainer {
            id: "n".into(),
            name: "web".into(),
            state,
            health,
            started: None,
            created: None,
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_time_for_a_health_check_follows_from_what_it_says() {
        let check = HealthConfig {
            interval: Some(1_000_000_000),
            timeout: Some(2_000_000_000),
            retries: Some(2),
            start_period: Some(4_000_000_000),
            ..HealthConfig::default()
        };
        assert_eq!(longest(&check), seconds(4 + 3 * 3 + 5));
        assert_eq!(longest(&HealthConfig::default()), seconds(4 * 60 + 5));
        let endless = HealthConfig {
            interval: Some(i64::MAX),
            retries: Some(i64::MAX),
            start_period: Some(-1),
            ..HealthConfig::default()
        };
        assert_eq!(longest(&endless), LONGEST);
    }

    #[test]
    fn the_new_one_must_be_as_well_as_the_old_one_was() {
        let (running, limit) = (State::Running, seconds(10));
        let judge = |health, state, shown, up_for| {
            let proof = Proof {
                settle: seconds(1),
                health,
            };
            proof.judge(&new(state, shown), seconds(up_for))
        };
        let good = || HealthGoal::Good(limit);
        assert_eq!(judge(good(), running, Health::Good, 0), Ok(false), "too soon");
        assert_eq!(judge(good(), running, Health::Starting, 9), Ok(false));
        assert_eq!(judge(good(), running, Health::Good, 9), Ok(true));
        assert_eq!(judge(good(), running, Health::Bad, 9), Err(Fault::Unhealthy));
        let late = judge(good(), running, Health::Starting, 10);
        assert_eq!(late, Err(Fault::NotHealthyWithin(limit)));
        assert_eq!(
            judge(HealthGoal::NotBad(limit), running, Health::Starting, 10),
            Ok(true)
        );
        assert_eq!(judge(HealthGoal::Nothing, running, Health::Bad, 1), Ok(true));
        let ended = judge(HealthGoal::Nothing, State::Ended(3), Health::None, 0);
        assert_eq!(ended, Err(Fault::EndedWith(3)));
        assert_eq!(
            judge(HealthGoal::Nothing, State::Ended(0), Health::None, 0),
            Ok(true)
        );
    }
}
