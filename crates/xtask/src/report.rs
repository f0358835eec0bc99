//! The results of a run of checks: which failed, how many tests there were, how long each check took, and how much of
//! that was testing and waiting.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::step::{seconds, step};

/// How many tests a check ran; none where the check runs no tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Time from the start of the first test to the end of the last.
    pub(crate) testing: Duration,
}

impl Count {
    /// Reads the JUnit report of nextest, whose first element has the counts.
    pub(crate) fn of_junit(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("no test report in {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("cannot read the test report {}", file.display()))
    }

    fn parse(junit: &str) -> Option<Self> {
        let element = junit.split("<testsuites").nth(1)?.split('>').next()?;
        let attribute = |name: &str| element.split(&format!(" {name}=\"")).nth(1)?.split('"').next();
        let count = |name: &str| attribute(name)?.parse::<usize>().ok();
        let failed = count("failures")? + count("errors")?;
        Some(Self {
            passed: count("tests")?.checked_sub(failed)?,
            failed,
            testing: Duration::try_from_secs_f64(attribute("time")?.parse().ok()?).ok()?,
        })
    }
}

#[derive(Debug)]
struct CheckResult {
    name: &'static str,
    elapsed: Duration,
    /// The share of that time, from 0 to 1, for which this machine's processors were idle; `None` where the system does
    /// not say.
    idle: Option<f64>,
    count: Count,
    error: Option<String>,
}

impl CheckResult {
    fn has_failed(&self) -> bool {
        self.error.is_some() || self.count.failed > 0
    }
}

/// The results of all checks so far.
#[derive(Debug)]
pub(crate) struct Report {
    /// Whether there was build output of an earlier run.
    warm: bool,
    results: Vec<CheckResult>,
}

impl Report {
    pub(crate) fn new(warm: bool) -> Self {
        let results = Vec::new();
        Self { warm, results }
    }

    /// Runs one check and records its result. An error of a check does not keep later ones from running.
    pub(crate) fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<Count>) {
        let begun = Instant::now();
        let processors = Processors::read();
        let outcome = step(name, work);
        let (count, error) = match outcome {
            Ok(count) => (count, None),
            Err(error) => (Count::default(), Some(format!("{error:#}"))),
        };
        if let Some(error) = &error {
            eprintln!("error: {error}");
        }
        self.results.push(CheckResult {
            name,
            elapsed: begun.elapsed(),
            idle: processors.and_then(|before| Processors::read()?.idle_since(before)),
            count,
            error,
        });
    }

    pub(crate) fn is_good(&self) -> bool {
        !self.results.iter().any(CheckResult::has_failed)
    }

    /// The sum of all counts, in which a check that failed without a failing test counts as one failed test.
    pub(crate) fn total(&self) -> Count {
        self.results.iter().fold(Count::default(), |total, result| Count {
            passed: total.passed + result.count.passed,
            failed: total.failed + result.count.failed.max(usize::from(result.has_failed())),
            testing: total.testing + result.count.testing,
        })
    }

    /// The results as a table: how long each check took, how much of that was testing and not building, and for how
    /// much the processors were idle.
    pub(crate) fn table(&self) -> String {
        let names = self.results.iter().map(|result| result.name.len());
        let width = names.max().unwrap_or_default();
        let mut table = format!("{:width$}          {:>7}  {:>7}  idle\n", "", "took", "testing");
        for result in &self.results {
            let verdict = if result.has_failed() { "FAILED" } else { "ok" };
            let Count {
                passed,
                failed,
                testing,
            } = result.count;
            let (tests, testing) = match passed + failed {
                0 => (String::new(), String::new()),
                _ => (format!("{passed} passed, {failed} failed"), seconds(testing)),
            };
            let idle = result
                .idle
                .map(|share| format!("{:.0} %", share * 100.0))
                .unwrap_or_default();
            let elapsed = seconds(result.elapsed);
            let row = format!(
                "{:width$}  {verdict:6}  {elapsed:>7}  {testing:>7}  {idle:>4}  {tests}",
                result.name
            );
            table += row.trim_end();
            table.push('\n');
        }
        let elapsed = seconds(self.results.iter().map(|result| result.elapsed).sum());
        let begin = match self.warm {
            true => "warm: on what an earlier run had built",
            false => "cold: nothing had been built",
        };
        table + &format!("{:width$}          {elapsed:>7}  {begin}\n", "")
    }
}

/// Times of all processors of this machine since it was started, in clock ticks.
#[derive(Clone, Copy, Debug)]
struct Processors {
    idle: u64,
    all: u64,
}

impl Processors {
    /// `None` on a system without `/proc/stat`.
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat` has the times: user, nice, system, idle, waiting for disks, and others that are
    /// work.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let times: Vec<u64> = line
            .split_whitespace()
            .map_while(|time| time.parse().ok())
            .collect();
        Some(Self {
            idle: times.get(3)? + times.get(4)?,
            // The times of virtual machines, which follow, are part of the user's time.
            all: times.iter().take(8).sum(),
        })
    }

    fn idle_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(self.idle.saturating_sub(before.idle) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(passed: usize, failed: usize) -> Count {
        let testing = Duration::ZERO;
        Count {
            passed,
            failed,
            testing,
        }
    }

    #[test]
    fn counts_are_read_from_the_first_element_of_a_report() {
        let junit = r#"<?xml version="1.0"?>
            <testsuites name="check" tests="7" failures="2" errors="1" uuid="x" time="0.1">
            <testsuite name="a" tests="1" disabled="0" errors="0" failures="0"></testsuite></testsuites>"#;
        let testing = Duration::from_millis(100);
        assert_eq!(
            Count::parse(junit),
            Some(Count {
                passed: 4,
                failed: 3,
                testing
            })
        );
        assert_eq!(Count::parse("<html>"), None);
    }

    #[test]
    fn a_broken_check_is_a_failure_even_without_a_test() {
        let mut report = Report::new(true);
        report.check("tests", || Ok(counted(3, 0)));
        assert!(report.is_good());
        report.check("format", || anyhow::bail!("not formatted"));
        assert!(!report.is_good());
        assert_eq!(report.total(), counted(3, 1));
        let table = report.table();
        assert!(
            table.contains("tests   ok") && table.contains("3 passed, 0 failed"),
            "{table}"
        );
        assert!(table.contains("format  FAILED"), "{table}");
    }

    #[test]
    fn a_failing_test_is_counted_once() {
        let mut report = Report::new(true);
        report.check("tests", || Ok(counted(3, 2)));
        assert_eq!(report.total(), counted(3, 2));
    }

    #[test]
    fn a_processor_that_waits_for_a_disk_is_idle_too() {
        let before = Processors::parse("cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 1 1").unwrap();
        let after = Processors::parse("cpu  30 5 25 140 20 0 0 0 20 0\n").unwrap();
        assert_eq!(after.idle_since(before), Some(0.6));
        assert_eq!(before.idle_since(before), None);
        assert!(Processors::parse("intr 1 2 3").is_none());
    }

    #[test]
    fn the_table_says_what_it_took_how_much_of_it_was_testing_and_what_it_began_with() {
        let mut report = Report::new(false);
        let testing = Duration::from_secs(61);
        report.check("tests", || {
            Ok(Count {
                testing,
                ..counted(3, 0)
            })
        });
        let table = report.table();
        assert!(table.contains("1m01s") && table.contains("cold"), "{table}");
    }
}
