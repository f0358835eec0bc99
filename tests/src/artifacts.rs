//! Where the programs under test and their files are. `cargo xtask` sets the environment variables that say so.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// `flotilla`: the server and the command line.
pub fn flotilla() -> Result<PathBuf> {
    program("FLOTILLA_BIN", "flotilla")
}

/// The agent, built statically, so that it runs in any container and on any root file system.
pub fn agent() -> Result<PathBuf> {
    program("FLOTILLA_AGENT_BIN", "flotilla-agent")
}

/// The example `dataplane` of the tunnel crate: a data plane that reads its map from a file and needs no agent.
pub fn dataplane() -> Result<PathBuf> {
    program("FLOTILLA_DATAPLANE_BIN", "examples/dataplane")
}

/// The example `relay_load` of the relay crate: a relay without a fleet, and the clients that load it.
pub fn relay_load() -> Result<PathBuf> {
    program("FLOTILLA_RELAY_LOAD_BIN", "examples/relay_load")
}

/// The desktop app.
pub fn desktop() -> Result<PathBuf> {
    program("FLOTILLA_DESKTOP_BIN", "flotilla-desktop")
}

/// The directory of agents and agent images that control serves; `None` where none were built.
#[must_use]
pub fn lookup_agents() -> Option<PathBuf> {
    lookup("FLOTILLA_AGENTS_DIR")
}

/// The UI bundle: what `FLOTILLA_UI_DIR` names, else `ui/dist` of this checkout.
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

/// A file or folder that `cargo xtask setup --test` prepared for the lab: `rootfs`, `engine`, `bin/docker-compose`.
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

/// The path in this variable, else the file of this name that cargo built beside the program that runs.
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
