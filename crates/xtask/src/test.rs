//! `cargo xtask test`: all checks of CI; those that find a mistake fastest come first.

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::artifacts::Artifacts;
use crate::cargo::{Profile, build_by_clippy, by_clippy, cargo};
use crate::checkout::Checkout;
use crate::process::{check, command, is_root};
use crate::report::{Count, Report};
use crate::step::side_by_side;
use crate::wasm::Compiler;
use crate::{agent, npm, setup, simulation, ui, wasm};

#[derive(Args, Debug)]
pub(crate) struct Selection {
    /// Run one part only
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Of that part, the tests with this in their name
    #[arg(requires = "only")]
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Format, clippy, the rules of the house, licenses
    Lint,
    /// Unit and property tests
    Unit,
    /// The bundle, and the UI in a browser
    Ui,
    /// Real programs and engines in network namespaces
    E2e,
    /// The desktop window
    Desktop,
}

/// A check, which is one line of the report.
struct Check {
    /// The parts that the check belongs to. A check without parts runs only when all parts do.
    parts: &'static [Part],
    name: &'static str,
    work: fn(&Run<'_>) -> Result<Count>,
}

impl Check {
    const fn new(parts: &'static [Part], name: &'static str, work: fn(&Run<'_>) -> Result<Count>) -> Self {
        Self { parts, name, work }
    }
}

const CHECKS: [Check; 11] = [
    Check::new(&[Part::Lint], "format", |_| {
        without_tests(cargo("fmt").args(["--all", "--check"]))
    }),
    Check::new(&[Part::Lint], "clippy, programs and tests", |_| {
        build_by_clippy().map(|()| Count::default())
    }),
    Check::new(&[Part::Lint], "clippy for wasm", |run| {
        without_tests(&mut clippy_of_ui(run.checkout)?)
    }),
    Check::new(&[Part::Lint], "rules of the house", |run| {
        run.nextest(
            by_clippy(&mut cargo("nextest")),
            &["--workspace", "--test", "house"],
        )
    }),
    Check::new(&[Part::Unit], "unit tests", |run| {
        run.nextest(
            by_clippy(&mut cargo("nextest")),
            &["--workspace", "-E", UNIT_TESTS],
        )
    }),
    Check::new(&[Part::Unit], "simulated networks", |run| {
        run.nextest(
            &mut simulation::nextest(run.checkout),
            simulation::NEXTEST_ARGUMENTS,
        )
    }),
    Check::new(
        &[Part::E2e, Part::Ui, Part::Desktop],
        "UI bundle and agents",
        |run| run.bundle_and_agents(),
    ),
    Check::new(&[Part::E2e], "end to end", |run| run.in_namespaces("e2e")),
    Check::new(&[Part::Ui], "browser", |run| run.browser()),
    Check::new(&[Part::Desktop], "desktop window", |run| run.desktop()),
    Check::new(&[Part::Lint], "licenses", |_| {
        without_tests(cargo("deny").args(["check", "licenses", "bans", "sources"]))
    }),
];

/// Many tests wait for a timer or for another process, those of whole machines most of the time. The groups of
/// `.config/nextest.toml` say how many of each kind go together.
const TESTS_PER_PROCESSOR: usize = 2;

/// nextest's filter for unit tests: all tests but those of this workspace's test package, which have checks of their
/// own.
const UNIT_TESTS: &str = "not (package(flotilla-tests) and kind(test))";

pub(crate) fn test(checkout: &Checkout, selection: &Selection) -> Result<ExitCode> {
    setup::setup(checkout, true)?;
    let run = Run {
        checkout,
        selection,
        agents: OnceCell::new(),
    };
    // This command itself is built by then, and nothing that it checks.
    let mut report = Report::new(checkout.target.join("debug/flotilla").exists());
    for Check { parts, name, work } in CHECKS {
        if selection.only.is_none_or(|only| parts.contains(&only)) {
            report.check(name, || work(&run));
        }
    }
    let Count { passed, failed, .. } = report.total();
    println!("\n{}\n{passed} passed, {failed} failed", report.table());
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One run of the checks.
struct Run<'a> {
    checkout: &'a Checkout,
    selection: &'a Selection,
    /// The directory of agents, once it is built.
    agents: OnceCell<PathBuf>,
}

impl Run<'_> {
    /// Runs nextest by this command, which may be another program that starts cargo, and counts the tests.
    fn nextest(&self, command: &mut Command, arguments: &[&str]) -> Result<Count> {
        let junit = self.checkout.root.join("target/nextest/check/junit.xml");
        // Where the tests do not compile, the report of an earlier run must not be counted.
        fs::remove_file(&junit).ok();
        let threads = (TESTS_PER_PROCESSOR * thread::available_parallelism()?.get()).to_string();
        command
            .args(["run", "--profile", "check", "--test-threads", &threads])
            .args(arguments)
            .args(&self.selection.filter);
        let outcome = check(command);
        let count = Count::of_junit(&junit);
        match (outcome, count) {
            (Ok(()), count) => count,
            (Err(_), Ok(count)) if count.failed > 0 => Ok(count),
            (Err(error), _) => Err(error),
        }
    }

    /// The last steps of a bundle and those of an agent keep one processor busy each, so they go on together.
    fn bundle_and_agents(&self) -> Result<Count> {
        let checkout = self.checkout;
        if self.selection.only == Some(Part::E2e) {
            self.agents()?;
        } else {
            side_by_side(|| ui::bundle(checkout), || self.agents())?;
        }
        Ok(Count::default())
    }

    /// Builds the directory of agents once. Only end-to-end tests need an agent for another processor.
    fn agents(&self) -> Result<PathBuf> {
        if let Some(agents) = self.agents.get() {
            return Ok(agents.clone());
        }
        let agents = match self.selection.only {
            None | Some(Part::E2e) => agent::build_for_tests(self.checkout)?,
            Some(_) => agent::build(self.checkout, Profile::Dev)?,
        };
        Ok(self.agents.get_or_init(|| agents).clone())
    }

    fn in_namespaces(&self, test: &str) -> Result<Count> {
        ensure!(
            is_root(),
            "these tests make network namespaces and start engines in them, which needs root: run this as root"
        );
        self.with_programs(cargo("nextest"), test, &[])
    }

    /// What the tests run in pages is among the UI's npm packages, which a cached bundle does without.
    fn browser(&self) -> Result<Count> {
        npm::install(&self.checkout.ui())?;
        self.in_namespaces("browser")
    }

    fn desktop(&self) -> Result<Count> {
        let mut display = command("xvfb-run");
        display.args(["--auto-servernum", "--server-args", "-screen 0 1280x900x24"]);
        display.args(["dbus-run-session", "--", "cargo", "nextest"]);
        self.with_programs(display, "desktop", &["--bin", "flotilla-desktop"])
    }

    fn with_programs(&self, mut command: Command, test: &str, also: &[&str]) -> Result<Count> {
        Artifacts::build(Profile::Dev, self.agents()?, also)?.export_to(self.checkout, &mut command);
        self.nextest(by_clippy(&mut command), &["--workspace", "--test", test])
    }
}

/// Runs a check that has no tests to count.
fn without_tests(command: &mut Command) -> Result<Count> {
    check(command)?;
    Ok(Count::default())
}

fn clippy_of_ui(checkout: &Checkout) -> Result<Command> {
    let compiler = wasm::ensure(checkout)?;
    // Clippy is part of rustup's toolchain, and cannot use a library that another compiler has built.
    let subcommand = match compiler {
        Compiler::Toolchain => "clippy",
        Compiler::Debian => "check",
    };
    let mut command = compiler.cargo(checkout, subcommand)?;
    command.args(["--package", "flotilla-ui"]);
    if matches!(compiler, Compiler::Toolchain) {
        command.args(["--", "--deny", "warnings"]);
    }
    Ok(command)
}
