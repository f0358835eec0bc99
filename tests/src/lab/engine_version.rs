//! Which version of Docker a machine's engine is. People run engines of several years' age, so tests use an old and a
//! current one.

use std::env;
use std::ffi::OsString;
use std::iter;

use anyhow::Result;

use crate::artifacts;

/// The folder of the lab with the programs of [`EngineVersion::Current`].
const PROGRAMS: &str = "engine";

/// A version of Docker's engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineVersion {
    /// The one that is installed on this computer. On Debian 12 that is Docker 20.10, which speaks version 1.41 of the
    /// API.
    Installed,
    /// The one of Debian 13: Docker 26.1, which speaks version 1.45 of the API.
    Current,
}

impl EngineVersion {
    pub const ALL: [Self; 2] = [Self::Installed, Self::Current];

    /// The value of `PATH` for the engine: a directory with its own programs first.
    pub(super) fn path(self) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        if self == Self::Installed {
            return Ok(path);
        }
        let own = artifacts::lab_file(PROGRAMS)?;
        Ok(env::join_paths(iter::once(own).chain(env::split_paths(&path)))?)
    }
}
