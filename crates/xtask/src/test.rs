//! `cargo xtask test`: everything CI checks, in the order in which a mistake is cheapest to find.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::cargo::{Profile, cargo};
use crate::checkout::Checkout;
use crate::parts::Parts;
use crate::process::{check, command, is_root};
use crate::report::{Count, Report};
use crate::wasm::Compiler;
use crate::{agent, setup, simulation, ui, wasm};

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

type Work = fn(&Run<'_>) -> Result<Count>;

const CHECKS: [(Part, &str, Work); 11] = [
    (Part::Lint, "format", |_| {
        plain(cargo("fmt").args(["--all", "--check"]))
    }),
    (Part::Lint, "clippy", |_| {
        plain(clippy(cargo("clippy").args(["--workspace", "--all-targets"])))
    }),
    (Part::Lint, "clippy for wasm", |run| {
        plain(&mut clippy_of_ui(run.checkout)?)
    }),
    (Part::Lint, "rules of the house", |run| {
        run.nextest(&mut cargo("nextest"), HOUSE)
    }),
    (Part::Unit, "unit tests", |run| {
        run.nextest(&mut cargo("nextest"), &["--workspace", "-E", UNIT])
    }),
    (Part::Unit, "simulated networks", |run| {
        run.nextest(&mut simulation::nextest(run.checkout), simulation::WORLDS)
    }),
    (Part::Ui, "UI bundle", |run| {
        ui::bundle(run.checkout).map(|()| Count::default())
    }),
    (Part::E2e, "end to end", |run| run.end_to_end()),
    (Part::Ui, "browser", |run| run.browser()),
    (Part::Desktop, "desktop window", |run| run.desktop()),
    (Part::Lint, "licenses", |_| {
        plain(cargo("deny").args(["check", "licenses", "bans", "sources"]))
    }),
];

const HOUSE: &[&str] = &["--package", "flotilla-tests", "--test", "house"];
/// All but what has a check of its own.
const UNIT: &str = "not (package(flotilla-tests) and binary(/^(house|e2e_|browser_|desktop_)/))";

pub(crate) fn test(checkout: &Checkout, selection: &Selection) -> Result<ExitCode> {
    setup::setup(checkout, true)?;
    let run = Run {
        checkout,
        filter: selection.filter.as_deref(),
    };
    let mut report = Report::default();
    for (part, name, work) in CHECKS {
        if selection.only.is_none_or(|only| only == part) {
            report.check(name, || work(&run));
        }
    }
    let Count { passed, failed } = report.total();
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
    filter: Option<&'a str>,
}

impl Run<'_> {
    /// Runs tests, whether by cargo or by something that starts it, and counts them.
    fn nextest(&self, command: &mut Command, arguments: &[&str]) -> Result<Count> {
        let junit = self.checkout.root.join("target/nextest/check/junit.xml");
        // The report of an earlier run must not be taken for that of one which did not compile.
        fs::remove_file(&junit).ok();
        command
            .args(["run", "--profile", "check"])
            .args(arguments)
            .args(self.filter);
        let outcome = check(command);
        let count = Count::of_junit(&junit);
        match (outcome, count) {
            (Ok(()), count) => count,
            (Err(_), Ok(count)) if count.failed > 0 => Ok(count),
            (Err(error), _) => Err(error),
        }
    }

    fn end_to_end(&self) -> Result<Count> {
        self.in_namespaces("end-to-end tests")?;
        let parts = Parts::build_programs(Profile::Dev, agent::build_for_tests(self.checkout)?)?;
        self.with(&parts, cargo("nextest"), "binary(/^e2e_/)")
    }

    fn browser(&self) -> Result<Count> {
        self.in_namespaces("browser tests")?;
        let parts = Parts::build_programs(Profile::Dev, agent::build(self.checkout, Profile::Dev)?)?;
        self.with(&parts, cargo("nextest"), "binary(/^browser_/)")
    }

    fn desktop(&self) -> Result<Count> {
        let parts = Parts::build(self.checkout, Profile::Dev)?.with_desktop()?;
        let mut display = command("xvfb-run");
        display.args(["--auto-servernum", "--server-args", "-screen 0 1280x900x24"]);
        display.args(["dbus-run-session", "--", "cargo", "nextest"]);
        self.with(&parts, display, "binary(/^desktop_/)")
    }

    fn with(&self, parts: &Parts, mut command: Command, binaries: &str) -> Result<Count> {
        parts.tell(self.checkout, &mut command);
        self.nextest(&mut command, &["--package", "flotilla-tests", "-E", binaries])
    }

    fn in_namespaces(&self, what: &str) -> Result<()> {
        if is_root() {
            return Ok(());
        }
        bail!("{what} make network namespaces and start engines in them, which needs root: run this as root")
    }
}

/// A check that is no test run.
fn plain(command: &mut Command) -> Result<Count> {
    check(command)?;
    Ok(Count::default())
}

fn clippy(command: &mut Command) -> &mut Command {
    command.args(["--", "--deny", "warnings"])
}

fn clippy_of_ui(checkout: &Checkout) -> Result<Command> {
    let compiler = wasm::ensure(checkout)?;
    // Clippy comes with rustup's compiler and cannot read the library of another one.
    let subcommand = match compiler {
        Compiler::Chosen => "clippy",
        Compiler::Debian => "check",
    };
    let mut command = compiler.cargo(checkout, subcommand)?;
    command.args(["--package", "flotilla-ui"]);
    if matches!(compiler, Compiler::Chosen) {
        clippy(&mut command);
    }
    Ok(command)
}
