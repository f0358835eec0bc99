//! `cargo xtask bench`: figures, one JSON line each on stdout. Sizes are measured here, all else by the bench program.

use anyhow::Result;

use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::parts::Parts;
use crate::process::become_program;
use crate::step::step;
use crate::{agent, setup, sizes, ui};

pub(crate) fn bench(checkout: &Checkout, name: Option<&str>) -> Result<()> {
    setup::lab_with_peers(checkout)?;
    ui::bundle(checkout)?;
    if name.is_none_or(|name| name == "sizes") {
        let agents = agent::build_for_users(checkout)?;
        for figure in sizes::measured(checkout, &agents)? {
            println!("{figure}");
        }
        if name.is_some() {
            return Ok(());
        }
    }
    let agents = agent::build(checkout, Profile::Release)?;
    let parts = Parts::build_programs(Profile::Release, agents)?;
    let relay_load = step("Building a relay without a fleet", || {
        cargo::build_example("flotilla-relay", "relay_load", Profile::Release)
    })?;
    let mut bench = parts.program(checkout, "bench")?;
    bench.env("FLOTILLA_RELAY_LOAD_BIN", relay_load);
    Err(become_program(bench.args(name)))
}
