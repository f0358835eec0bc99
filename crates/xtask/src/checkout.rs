//! The directories of this source tree, its build output, and the cache that remains when both are removed.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cargo;

/// The source tree that the command was started in.
#[derive(Debug)]
pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
    /// Cargo's target directory: `CARGO_TARGET_DIR` where it is set, else `target`.
    pub(crate) target: PathBuf,
    /// For what is expensive to make and does not depend on this source tree alone: compiled dependencies for wasm,
    /// root file systems, tools.
    pub(crate) cache: PathBuf,
    /// The version of the whole workspace, which also tags the agent image.
    pub(crate) version: String,
}

impl Checkout {
    /// The source tree around the current directory.
    pub(crate) fn find() -> Result<Self> {
        let metadata = cargo::metadata(Path::new("."))?;
        let text = |value: &Value| {
            value
                .as_str()
                .map(str::to_owned)
                .context("cargo metadata lacks a field")
        };
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lacks packages")?;
        let own = packages.iter().find(|package| package["name"] == "xtask");
        Ok(Self {
            root: text(&metadata["workspace_root"])?.into(),
            target: text(&metadata["target_directory"])?.into(),
            cache: cache_directory()?,
            version: text(&own.context("xtask is not a member of this workspace")?["version"])?,
        })
    }

    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    pub(crate) fn ui_dist(&self) -> PathBuf {
        self.root.join("ui/dist")
    }

    /// The root file system and the programs that end-to-end tests use in every run.
    pub(crate) fn lab(&self) -> PathBuf {
        self.cache.join("lab")
    }
}

fn cache_directory() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|value| Path::new(value).is_absolute()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("flotilla"))
}
