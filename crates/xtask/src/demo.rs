//! `cargo xtask demo`: a fleet on this one machine. What it shows lives with the tests; here it is built and started.

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
