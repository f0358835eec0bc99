//! `cargo xtask demo`: builds and starts the program `demo` of the tests, which runs a fleet on this machine.

use anyhow::Result;

use crate::artifacts::Artifacts;
use crate::cargo::Profile;
use crate::checkout::Checkout;
use crate::process::become_program;
use crate::{agent, setup, ui};

pub(crate) fn demo(checkout: &Checkout, devices: u8) -> Result<()> {
    setup::lab(checkout)?;
    ui::bundle(checkout)?;
    let agents = agent::build(checkout, Profile::App)?;
    let artifacts = Artifacts::build(Profile::App, agents, &["--bin", "demo"])?;
    let mut demo = artifacts.program(checkout, "demo")?;
    Err(become_program(demo.args(["--devices", &devices.to_string()])))
}
