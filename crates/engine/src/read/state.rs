//! Names, states and dates in our words, whichever form an engine's answer has them in.

use crate::id;
use flotilla_protocol::{
    Timestamp,
    inventory::{ContainerState, Health},
};

/// No container is older. Builds that are to be the same each time write 0, 1 or the first moment that an archive can
/// hold, which is in 1980; engines write the year 1 for "never".
const FIRST_DATE: &str = "1980-01-02T00:00:00Z";

/// How far in the future a date may lie, because clocks are off and time zones are mistaken for one another.
const AHEAD_SECONDS: i64 = 24 * 3600;

/// What to call a container: a name of its own comes before names that others gave it by links, and the beginning of
/// its id stands in for a name that the engine does not tell.
pub(crate) fn name<'a>(names: impl IntoIterator<Item = &'a str>, id: &str) -> String {
    let mut names: Vec<_> = names
        .into_iter()
        .map(|name| name.trim_start_matches('/'))
        .collect();
    names.retain(|name| !name.is_empty());
    let own = names.iter().find(|name| !name.contains('/')).or(names.first());
    own.map_or(id::short(id), |name| *name).to_owned()
}

pub(super) fn state(word: &str) -> ContainerState {
    match word {
        "created" => ContainerState::Created,
        "running" | "stopping" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting,
        "removing" => ContainerState::Removing,
        "exited" => ContainerState::Exited,
        "dead" => ContainerState::Dead,
        _ => ContainerState::Unknown,
    }
}

/// The state in words that stay true as long as nothing happens; the engine's own word where we know none.
pub(super) fn status(word: &str, exit_code: Option<i64>) -> String {
    let mut letters = word.chars();
    let word = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Unknown".to_owned(),
    };
    match exit_code {
        Some(code) => format!("{word} ({code})"),
        None => word,
    }
}

/// Whether a container in this state has ended, so that its exit code is known.
pub(super) fn has_ended(state: ContainerState) -> bool {
    use ContainerState::{Dead, Exited, Restarting};
    matches!(state, Exited | Dead | Restarting)
}

pub(crate) fn health(word: &str) -> Health {
    match word {
        "" | "none" => Health::None,
        "starting" => Health::Starting,
        "healthy" => Health::Healthy,
        "unhealthy" => Health::Unhealthy,
        _ => Health::Unknown,
    }
}

/// A date as engines write it; `None` where it means nothing.
pub(super) fn date(text: Option<&str>) -> Option<Timestamp> {
    meaningful_date(text?.parse().ok()?)
}

pub(super) fn meaningful_date(date: Timestamp) -> Option<Timestamp> {
    let first: Timestamp = FIRST_DATE.parse().ok()?;
    (date >= first).then_some(date)
}

/// The date at which something was made; `None` also where that is after `now`.
pub(super) fn creation_date(date: Timestamp, now: Timestamp) -> Option<Timestamp> {
    meaningful_date(date).filter(|date| date.as_second() <= now.as_second() + AHEAD_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_called_by_its_own_name_and_else_by_its_id() {
        let id = "0123456789abcdef0123";
        assert_eq!(name(["/a/alias", "/real", "/b/alias"], id), "real");
        assert_eq!(name(["/a/alias"], id), "a/alias");
        assert_eq!(name([""], id), "0123456789ab");
        assert_eq!(name([], id), "0123456789ab");
    }

    #[test]
    fn a_state_that_is_new_to_us_is_told_in_the_engines_word() {
        assert_eq!(
            (state("configured"), status("configured", None).as_str()),
            (ContainerState::Unknown, "Configured")
        );
        assert_eq!(status("", None), "Unknown");
    }

    #[test]
    fn dates_that_builds_make_up_mean_nothing() {
        let now = "2026-11-30T00:00:00Z".parse().unwrap();
        for nothing in [
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z",
            "1980-01-01T00:00:00Z",
            "1980-01-01T00:00:01Z",
            "2106-02-07T06:28:16Z",
            "2026-12-02T00:00:00Z",
        ] {
            assert_eq!(creation_date(nothing.parse().unwrap(), now), None, "{nothing}");
        }
        for date in [
            "2013-03-20T00:00:00Z",
            "2026-11-29T23:59:59Z",
            "2026-11-30T12:00:00Z",
        ] {
            assert!(creation_date(date.parse().unwrap(), now).is_some(), "{date}");
        }
    }
}
