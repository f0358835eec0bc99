//! Tests of simulated networks in virtual time. They need WireGuard's code built with a clock that the tests move.
//! Cargo compiles a crate once for all of its users, and a program with that clock would never rekey: so these tests
//! have a target directory of their own.

use std::process::Command;

use anyhow::Result;

use crate::cargo::cargo;
use crate::checkout::Checkout;
use crate::process::check;

pub(crate) const NEXTEST_ARGUMENTS: &[&str] = &[
    "--package",
    "flotilla-mesh",
    "--features",
    "simulation",
    "-E",
    "binary(worlds)",
];

/// For how long new worlds are tried in CI.
const SECONDS_IN_CI: &str = "20";
/// How many worlds are tried before a release.
const WORLDS_OF_SOAK: &str = "10000";

pub(crate) fn nextest(checkout: &Checkout) -> Command {
    let mut command = cargo("nextest");
    command.env("CARGO_TARGET_DIR", checkout.target.join("simulation"));
    command.env("FLOTILLA_WORLDS_SECONDS", SECONDS_IN_CI);
    command
}

/// Runs ten thousand worlds, or the one world that `FLOTILLA_SEED` names.
pub(crate) fn soak(checkout: &Checkout) -> Result<()> {
    let mut command = cargo("test");
    command.env("CARGO_TARGET_DIR", checkout.target.join("simulation"));
    command.envs([
        ("FLOTILLA_WORLDS", WORLDS_OF_SOAK),
        ("FLOTILLA_WORLDS_SECONDS", "86400"),
    ]);
    command.args([
        "--release",
        "--package",
        "flotilla-mesh",
        "--features",
        "simulation",
        "--test",
        "worlds",
    ]);
    command.args(["--", "--nocapture", "in_every_world"]);
    check(&mut command)
}
