//! Where the programs under test and their files are. `cargo xtask` says so in the environment.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The server and command line.
pub fn flotilla() -> Result<PathBuf> {
    program("FLOTILLA_BIN", "flotilla")
}

/// The agent, built statically, so that it runs in any container and on any root file system.
pub fn agent() -> Result<PathBuf> {
    program("FLOTILLA_AGENT_BIN", "flotilla-agent")
}

/// A data plane from files, without an agent.
pub fn dataplane() -> Result<PathBuf> {
    program("FLOTILLA_DATAPLANE_BIN", "examples/dataplane")
}

/// A relay, and what loads it, without a fleet.
pub fn relay_load() -> Result<PathBuf> {
    program("FLOTILLA_RELAY_LOAD_BIN", "examples/relay_load")
}

pub fn desktop() -> Result<PathBuf> {
    program("FLOTILLA_DESKTOP_BIN", "flotilla-desktop")
}

/// Agents and agent images as control serves them; `None` where nobody built any.
#[must_use]
pub fn lookup_agents() -> Option<PathBuf> {
    lookup("FLOTILLA_AGENTS_DIR")
}

/// The UI bundle, beside this crate unless told otherwise.
pub fn ui() -> Result<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
    let bundle = lookup("FLOTILLA_UI_DIR").unwrap_or(beside);
    if !bundle.join("index.html").exists() {
        bail!(
            "no UI bundle in {}: run `cargo xtask ui`, or the test by `cargo xtask test`",
            bundle.display()
        );
    }
    Ok(bundle)
}

/// A file of the lab that `cargo xtask setup --test` makes: `rootfs`, `engine`, `bin/docker-compose`.
pub fn lab_file(name: &str) -> Result<PathBuf> {
    let cache = lookup("XDG_CACHE_HOME").or_else(|| Some(lookup("HOME")?.join(".cache")));
    let lab = lookup("FLOTILLA_LAB_DIR").or_else(|| Some(cache?.join("flotilla/lab")));
    let file = lab
        .context("neither FLOTILLA_LAB_DIR nor HOME is set")?
        .join(name);
    if !file.exists() {
        bail!("{} is not there: run `cargo xtask setup --test`", file.display());
    }
    Ok(file)
}

/// What the environment says, else what cargo built beside this very program.
fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = lookup(variable) {
        return Ok(path);
    }
    let own = env::current_exe()?;
    let built = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name));
    built.into_iter().find(|path| path.is_file()).with_context(|| {
        format!("{variable} is not set and no {name} was built: run `cargo xtask test --only e2e`")
    })
}

fn lookup(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
