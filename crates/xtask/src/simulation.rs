//! Networks in virtual time. WireGuard's clock stands still in their build, which therefore has a target directory
//! of its own: cargo builds a crate once for all of its users, and a real program with that clock would never rekey.

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

/// What fits into CI.
const SECONDS_IN_CI: &str = "20";
/// What a release should have lived through.
const WORLDS_OF_SOAK: &str = "10000";

pub(crate) fn nextest(checkout: &Checkout) -> Command {
    let mut command = cargo("nextest");
    command.env("CARGO_TARGET_DIR", checkout.target.join("simulation"));
    command.env("FLOTILLA_WORLDS_SECONDS", SECONDS_IN_CI);
    command
}

/// Ten thousand worlds, or one again: `FLOTILLA_SEED` chooses it.
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
