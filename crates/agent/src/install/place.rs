//! Puts the program, its user and its config file where the service expects them.

use super::{CONFIG_FILE, InstallError, PROGRAM, RunAs, STATE_DIR, USER, file::replace, knows_user, run};
use crate::enroll::source::{ConfigError, checked_text, unreadable};
use std::{
    fs::{self, File},
    io,
    path::Path,
};
use zeroize::Zeroizing;

/// The program that runs; the file at its own path may have been replaced since.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Stands for standard input in place of a config file's path, as in many programs.
const STANDARD_INPUT: &str = "-";

pub(super) fn put_in_place(run_as: RunAs, config: &Path) -> Result<(), InstallError> {
    // The config is checked before anything is changed.
    let text = read(config).map_err(|error| InstallError::Config(config.to_owned(), error.to_string()))?;
    if run_as == RunAs::Flotilla {
        ensure_user()?;
    }
    let program = fs::read(THIS_PROGRAM).map_err(|source| InstallError::Write {
        path: PROGRAM.into(),
        source,
    })?;
    write(Path::new(PROGRAM), &program, 0o755)?;
    write(Path::new(CONFIG_FILE), text.as_bytes(), flotilla_disk::PRIVATE)?;
    if run_as == RunAs::Flotilla {
        run("chown", &[&format!("{USER}:"), CONFIG_FILE])?;
    }
    Ok(())
}

fn read(config: &Path) -> Result<Zeroizing<String>, ConfigError> {
    if config == Path::new(STANDARD_INPUT) {
        return checked_text(config, io::stdin().lock());
    }
    let file = File::open(config).map_err(|source| unreadable(config, source))?;
    checked_text(config, file)
}

fn ensure_user() -> Result<(), InstallError> {
    if !knows_user() {
        let shell = ["/usr/sbin/nologin", "/sbin/nologin", "/bin/false"];
        let shell = shell.into_iter().find(|path| Path::new(path).exists());
        let shell = shell.unwrap_or("/bin/false");
        let home = ["--home-dir", STATE_DIR, "--no-create-home"];
        run(
            "useradd",
            &[
                &["--system", "--user-group", "--shell", shell],
                &home[..],
                &[USER],
            ]
            .concat(),
        )?;
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    if groups.lines().any(|line| line.starts_with("docker:")) {
        run("usermod", &["--append", "--groups", "docker", USER])?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), InstallError> {
    replace(path, bytes, mode).map_err(|source| InstallError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_whole_with_the_rights_it_should_have() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder/agent");
        for (text, mode) in [("one", 0o755), ("two", 0o600)] {
            write(&path, text.as_bytes(), mode).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_config_file_of_no_use_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let error = put_in_place(RunAs::Root, &dir.path().join("none.toml")).unwrap_err();
        assert!(matches!(error, InstallError::Config(..)) && error.to_string().contains("does not exist"));
    }
}
