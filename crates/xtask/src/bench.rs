//! `cargo xtask bench`: figures, one JSON line each on stdout. Sizes are measured here, all others by the program `bench`
//! of the tests.

use anyhow::Result;

use crate::artifacts::Artifacts;
use crate::cargo::Profile;
use crate::checkout::Checkout;
use crate::process::become_program;
use crate::{agent, lab, setup, sizes, ui};

pub(crate) fn bench(checkout: &Checkout, name: Option<&str>) -> Result<()> {
    setup::lab(checkout)?;
    lab::ensure_comparators(checkout)?;
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
    let also = ["--bin", "bench", "--example", "relay_load"];
    let artifacts = Artifacts::build(Profile::Release, agents, &also)?;
    let mut bench = artifacts.program(checkout, "bench")?;
    Err(become_program(bench.args(name)))
}
