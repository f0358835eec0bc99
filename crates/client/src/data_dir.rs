//! The one directory that desktop app, `flotilla serve` and the client commands agree on.

use crate::Error;
use std::{env, path::PathBuf};

/// The given directory, else `FLOTILLA_DATA_DIR`, else the platform's data directory with `flotilla` in it.
///
/// # Errors
/// Nothing is given and the platform names no home directory.
pub fn data_dir(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(chosen) = given.or_else(|| variable("FLOTILLA_DATA_DIR")) {
        return Ok(chosen);
    }
    let platform = if cfg!(target_os = "macos") {
        env::home_dir().map(|home| home.join("Library/Application Support"))
    } else if cfg!(target_os = "windows") {
        variable("APPDATA")
    } else {
        variable("XDG_DATA_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| env::home_dir().map(|home| home.join(".local/share")))
    };
    let platform = platform
        .filter(|path| path.is_absolute())
        .ok_or(Error::Environment {
            variable: "HOME",
            reason: "it names no home directory; choose one with --data-dir or FLOTILLA_DATA_DIR",
        })?;
    Ok(platform.join("flotilla"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_directory_wins() {
        assert_eq!(
            data_dir(Some("/srv/fleet".into())).unwrap(),
            PathBuf::from("/srv/fleet")
        );
    }
}
