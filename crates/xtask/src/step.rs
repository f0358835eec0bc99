//! Progress on the terminal: the name of each step, and how long it took.

use std::panic::resume_unwind;
use std::thread;
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

/// Does two pieces of work at the same time, each to its end, and returns what both made.
pub(crate) fn side_by_side<A: Send, B>(
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((one?, other?))
    })
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
    fn the_error_of_either_piece_of_work_is_returned() {
        assert_eq!(side_by_side(|| Ok(1), || Ok(2)).unwrap(), (1, 2));
        let failed = || -> Result<()> { anyhow::bail!("rock") };
        assert!(side_by_side(failed, || Ok(())).is_err());
        assert!(side_by_side(|| Ok(()), failed).is_err());
    }

    #[test]
    fn a_failed_step_names_itself() {
        let error = step("Digging", || -> Result<()> { anyhow::bail!("rock") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "Digging: rock");
    }
}
