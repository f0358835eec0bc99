//! `cargo xtask soak`: long forms of tests that CI runs for seconds.

use std::process::Command;

use anyhow::Result;

use crate::artifacts::Artifacts;
use crate::cargo::{Profile, cargo};
use crate::checkout::Checkout;
use crate::process::{become_program, check};
use crate::{agent, setup, simulation, ui};

/// Length of each attack of a rogue device, in seconds; one and a half in CI.
const ATTACK_SECONDS: &str = "30";

/// For how long control is down, in seconds; a minute in CI.
const AWAY_SECONDS: &str = "600";

/// Random groups of container settings for each engine; eight in CI.
const SETTING_GROUPS: &str = "300";

/// Orders of events in which jobs are tried; a thousand in CI.
const JOB_SEEDS: &str = "20000";

/// Makes the test of a page that stays open an hour of the page's clock, with 10,000 rows; some minutes of it in CI.
const PAGE_HOUR: &str = "1";

/// Lines of a log that is read, and how often its device is cut off meanwhile; sixty thousand and three times in CI.
const LOG_LINES: &str = "1000000";
const LOG_CUTS: &str = "10";

pub(crate) fn soak(checkout: &Checkout, name: Option<&str>) -> Result<()> {
    if name == Some("mesh") {
        return simulation::soak(checkout);
    }
    if name == Some("rogue") {
        return rogue();
    }
    if name == Some("jobs") {
        return jobs();
    }
    setup::lab_with_peers(checkout)?;
    if name == Some("away") {
        return away(checkout);
    }
    if name == Some("page") {
        return page(checkout);
    }
    if name == Some("logs") {
        return logs(checkout);
    }
    if name == Some("recreate") {
        return recreate(checkout);
    }
    ui::bundle(checkout)?;
    let agents = agent::build(checkout, Profile::Release)?;
    let artifacts = Artifacts::build(Profile::Release, agents, &["--bin", "soak"])?;
    Err(become_program(artifacts.program(checkout, "soak")?.args(name)))
}

/// Runs the test of a control that is down while agents go on and restart, ten times as long.
fn away(checkout: &Checkout) -> Result<()> {
    let mut nextest = with_programs(checkout, "e2e")?;
    nextest.env("FLOTILLA_AWAY_SECONDS", AWAY_SECONDS);
    check(nextest.arg("while_control_is_away"))
}

/// Runs the test of a page that stays open while the fleet reports. It prints what the page held at first and at last.
fn page(checkout: &Checkout) -> Result<()> {
    ui::bundle(checkout)?;
    let mut nextest = with_programs(checkout, "browser")?;
    nextest.env("FLOTILLA_PAGE_HOUR", PAGE_HOUR);
    check(nextest.arg("a_page_that_stays_open"))
}

/// Runs the test of a log that is read while the link is cut, with more lines and cuts.
fn logs(checkout: &Checkout) -> Result<()> {
    let mut nextest = with_programs(checkout, "e2e")?;
    nextest
        .env("FLOTILLA_LOG_LINES", LOG_LINES)
        .env("FLOTILLA_LOG_CUTS", LOG_CUTS);
    check(nextest.arg("each_line_is_read_once"))
}

/// Runs the test of containers that are recreated, with other random groups of settings each time.
fn recreate(checkout: &Checkout) -> Result<()> {
    let mut nextest = nextest(&["--workspace", "--test", "e2e"]);
    nextest.env("FLOTILLA_LAB_DIR", checkout.lab());
    nextest.env("FLOTILLA_RECREATE_GROUPS", SETTING_GROUPS);
    check(nextest.arg("recreate::"))
}

/// Runs the test of a rogue device, twenty times as long and with the optimizations of what users run. It prints the
/// figures of each attack.
fn rogue() -> Result<()> {
    let mut nextest = nextest(&["--package", "flotilla-control"]);
    nextest.env("FLOTILLA_ROGUE_SECONDS", ATTACK_SECONDS);
    check(nextest.args(["--release", "a_rogue_device"]))
}

/// Runs the simulation of jobs in which anything ends at any moment, with more orders of events.
fn jobs() -> Result<()> {
    let mut nextest = nextest(&["--package", "flotilla-fleet"]);
    nextest.env("FLOTILLA_JOB_SEEDS", JOB_SEEDS);
    check(nextest.args(["--release", "whatever_ends_at_any_moment"]))
}

/// nextest for one kind of tests with real programs, which are built first.
fn with_programs(checkout: &Checkout, test: &str) -> Result<Command> {
    let artifacts = Artifacts::build(Profile::Dev, agent::build(checkout, Profile::Dev)?, &[])?;
    let mut nextest = nextest(&["--workspace", "--test", test]);
    artifacts.export_to(checkout, &mut nextest);
    Ok(nextest)
}

/// nextest with the profile for long runs. The output of the tests is shown.
fn nextest(selection: &[&str]) -> Command {
    let mut nextest = cargo("nextest");
    nextest
        .args(["run", "--profile", "soak", "--no-capture"])
        .args(selection);
    nextest
}
