//! The npm packages of the UI: fonts, charts, icons, and what bundles and optimizes. Install scripts of packages are not run.

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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// What only crates may not be under: the license of fonts.
    const OF_FONTS: &str = "OFL-1.1";

    #[test]
    fn packages_are_under_licenses_that_crates_may_have_too_and_name_no_registry() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let read = |file: &str| std::fs::read_to_string(format!("{root}/{file}")).unwrap();
        let (lock, allowed) = (read("ui/package-lock.json"), read("deny.toml"));
        let lock: Value = serde_json::from_str(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            let license = package["license"].as_str().unwrap_or_default();
            let known = license == OF_FONTS || allowed.contains(&format!("\"{license}\","));
            assert!(known, "{name} is under {license:?}");
            assert!(package["resolved"].is_null(), "{name} names a registry");
        }
    }
}
