//! The npm packages of the UI: fonts, terminal, charts and the wasm optimizer. Install scripts of packages are not run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::bundle::hex_digest;
use crate::process::{check_quietly, command};
use crate::step::step;

/// Makes `node_modules` match the lock file; does nothing when it already does.
pub(crate) fn install(directory: &Path) -> Result<()> {
    let lock = directory.join("package-lock.json");
    let wanted = hex_digest(&fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?);
    // Inside node_modules, so that deleting that folder deletes the record that it is complete.
    let stamp = directory.join("node_modules/.installed-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("Installing the UI's npm packages", || {
        let mut npm = command("npm");
        npm.current_dir(directory)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        check_quietly(&mut npm)?;
        fs::create_dir_all(directory.join("node_modules"))?;
        Ok(fs::write(&stamp, &wanted)?)
    })
}
