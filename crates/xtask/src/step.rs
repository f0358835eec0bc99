//! Progress on the terminal: the name of each step, and how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Runs one step, and prints its name before and its time after it; an error gets the step's name as context.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let begun = Instant::now();
    let outcome = work().with_context(|| name.to_owned());
    let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("    {name}: {verdict} in {}", seconds(begun.elapsed()));
    outcome
}

/// Prints details of a step, indented.
pub(crate) fn say(detail: &str) {
    for line in detail.lines() {
        eprintln!("    {line}");
    }
}

pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        whole if whole >= 60 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{:.1}s", duration.as_secs_f32()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_like_a_stopwatch() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(61)), "1m01s");
        assert_eq!(seconds(Duration::from_secs(3_600)), "60m00s");
    }

    #[test]
    fn a_failed_step_names_itself() {
        let error = step("Digging", || -> Result<()> { anyhow::bail!("rock") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "Digging: rock");
    }
}
