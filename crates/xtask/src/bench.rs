//! `cargo xtask bench`: figures, one JSON line each on stdout. Sizes are measured here, all else by the bench program.

use anyhow::Result;

use crate::cargo::Profile;
use crate::checkout::Checkout;
use crate::parts::Parts;
use crate::process::become_program;
use crate::{agent, setup, sizes, ui};

pub(crate) fn bench(checkout: &Checkout, name: Option<&str>) -> Result<()> {
    setup::lab(checkout)?;
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
    Err(become_program(parts.program(checkout, "bench")?.args(name)))
}
