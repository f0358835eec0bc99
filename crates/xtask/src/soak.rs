//! `cargo xtask soak`: hours of what CI runs for seconds.

use anyhow::Result;

use crate::cargo::Profile;
use crate::checkout::Checkout;
use crate::parts::Parts;
use crate::process::become_program;
use crate::{setup, simulation};

pub(crate) fn soak(checkout: &Checkout, name: Option<&str>) -> Result<()> {
    if name == Some("mesh") {
        return simulation::soak(checkout);
    }
    setup::lab(checkout)?;
    let parts = Parts::build(checkout, Profile::Release)?;
    Err(become_program(parts.program(checkout, "soak")?.args(name)))
}
