//! What a run of all checks found: how long each took, which failed, how many tests there were.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::step::{seconds, step};

/// Tests of one check; a check that is no test run counts none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Count {
    /// Reads the report that nextest leaves; the counts are in its first element.
    pub(crate) fn of_junit(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("no test report in {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("cannot read the test report {}", file.display()))
    }

    fn parse(junit: &str) -> Option<Self> {
        let element = junit.split("<testsuites").nth(1)?.split('>').next()?;
        let attribute = |name: &str| -> Option<usize> {
            element
                .split(&format!(" {name}=\""))
                .nth(1)?
                .split('"')
                .next()?
                .parse()
                .ok()
        };
        let failed = attribute("failures")? + attribute("errors")?;
        Some(Self {
            passed: attribute("tests")?.checked_sub(failed)?,
            failed,
        })
    }
}

#[derive(Debug)]
struct Line {
    name: &'static str,
    elapsed: Duration,
    count: Count,
    error: Option<String>,
}

impl Line {
    fn has_failed(&self) -> bool {
        self.error.is_some() || self.count.failed > 0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Runs one check and remembers how it went; later checks run whatever it found.
    pub(crate) fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<Count>) {
        let begun = Instant::now();
        let outcome = step(name, work);
        let (count, error) = match outcome {
            Ok(count) => (count, None),
            Err(error) => (Count::default(), Some(format!("{error:#}"))),
        };
        if let Some(error) = &error {
            eprintln!("error: {error}");
        }
        self.lines.push(Line {
            name,
            elapsed: begun.elapsed(),
            count,
            error,
        });
    }

    pub(crate) fn is_good(&self) -> bool {
        !self.lines.iter().any(Line::has_failed)
    }

    /// All tests; a check that failed without a failing test counts as one.
    pub(crate) fn total(&self) -> Count {
        self.lines.iter().fold(Count::default(), |total, line| Count {
            passed: total.passed + line.count.passed,
            failed: total.failed + line.count.failed.max(usize::from(line.has_failed())),
        })
    }

    /// A table for people.
    pub(crate) fn table(&self) -> String {
        let width = self
            .lines
            .iter()
            .map(|line| line.name.len())
            .max()
            .unwrap_or_default();
        let rows = self.lines.iter().map(|line| {
            let verdict = if line.has_failed() { "FAILED" } else { "ok" };
            let tests = match line.count {
                Count { passed: 0, failed: 0 } => String::new(),
                Count { passed, failed } => format!("{passed} passed, {failed} failed"),
            };
            let row = format!(
                "{:width$}  {verdict:6}  {:>7}  {tests}",
                line.name,
                seconds(line.elapsed)
            );
            row.trim_end().to_owned() + "\n"
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_first_element_of_a_report() {
        let junit = r#"<?xml version="1.0"?>
            <testsuites name="check" tests="7" failures="2" errors="1" uuid="x" time="0.1">
            <testsuite name="a" tests="1" disabled="0" errors="0" failures="0"></testsuite></testsuites>"#;
        assert_eq!(Count::parse(junit), Some(Count { passed: 4, failed: 3 }));
        assert_eq!(Count::parse("<html>"), None);
    }

    #[test]
    fn a_broken_check_is_a_failure_even_without_a_test() {
        let mut report = Report::default();
        report.check("tests", || Ok(Count { passed: 3, failed: 0 }));
        assert!(report.is_good());
        report.check("format", || anyhow::bail!("not formatted"));
        assert!(!report.is_good());
        assert_eq!(report.total(), Count { passed: 3, failed: 1 });
        let table = report.table();
        assert!(
            table.contains("tests   ok") && table.contains("3 passed, 0 failed"),
            "{table}"
        );
        assert!(table.contains("format  FAILED"), "{table}");
    }

    #[test]
    fn a_failing_test_is_counted_once() {
        let mut report = Report::default();
        report.check("tests", || Ok(Count { passed: 3, failed: 2 }));
        assert_eq!(report.total(), Count { passed: 3, failed: 2 });
    }
}
