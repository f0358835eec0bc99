//! How old a machine's engine is: what is typed at people's homes runs for years, and what is sold today is newer.

use std::env;
use std::ffi::OsString;
use std::iter;

use anyhow::Result;

use crate::artifacts;

/// The folder of the lab with the programs of [`EngineVersion::Current`].
const PROGRAMS: &str = "engine";

/// The engine of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineVersion {
    /// The one that this computer has: with Debian 12 Docker 20.10, which speaks version 1.41 of the API and no newer
    /// one.
    Installed,
    /// Docker as Debian 13 has it: 26.1, which speaks version 1.45.
    Current,
}

impl EngineVersion {
    pub const ALL: [Self; 2] = [Self::Installed, Self::Current];

    /// Where its programs are looked for, the engine's own first.
    pub(super) fn path(self) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        if self == Self::Installed {
            return Ok(path);
        }
        let own = artifacts::lab_file(PROGRAMS)?;
        Ok(env::join_paths(iter::once(own).chain(env::split_paths(&path)))?)
    }
}
