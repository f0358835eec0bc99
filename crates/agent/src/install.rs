//! The agent as a service of systemd. With a config file, this puts the program, its user and the file in place;
//! without one, the install script has done so.

mod file;
mod place;
mod proxy;
mod users_engine;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where an installed agent looks for its config file.
pub const CONFIG_FILE: &str = "/etc/flotilla/device.toml";

/// Where an installed agent keeps its state.
pub const STATE_DIR: &str = "/var/lib/flotilla";

/// Where `install` puts the program when it is given a config file.
pub const PROGRAM: &str = "/usr/local/bin/flotilla-agent";

/// The proxy for the service, where there was one when it was installed.
const PROXY_FILE: &str = "/etc/flotilla/proxy.env";

const UNIT: &str = "flotilla-agent.service";
const UNIT_PATH: &str = "/etc/systemd/system/flotilla-agent.service";
const TEMPLATE: &str = include_str!("flotilla-agent.service");
const USER: &str = "flotilla";

/// The user as which the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunAs {
    /// The user `flotilla`, who uses the engine as a member of the group docker.
    Flotilla,
    Root,
}

/// Why the service was not installed or removed. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("Only root can do this. Put sudo in front.")]
    NotRoot,
    #[error("This system does not run systemd. Run the agent in Docker instead, as Add Device shows.")]
    NoSystemd,
    #[error(
        "There is no user flotilla. Make one (sudo useradd --system --user-group flotilla && sudo usermod -aG docker flotilla), or use --as-root."
    )]
    NoUser,
    #[error("The service cannot start a program at {0}. Move it to /usr/local/bin and try again.")]
    Place(PathBuf),
    #[error(
        "Others than root can change {0}, and the service would run whatever they put there. Move it to /usr/local/bin and try again."
    )]
    Changeable(PathBuf),
    #[error("{path} cannot be written: {source}.")]
    Write { path: PathBuf, source: io::Error },
    #[error("{0} is no config file of this fleet: {1}")]
    Config(PathBuf, String),
    #[error("{command} failed: {reason}")]
    Command { command: String, reason: String },
}

/// Installs the service for this very program and starts it; a running one is replaced. With a config file, the
/// program is copied to [`PROGRAM`] first, the file to [`CONFIG_FILE`], and the service's user is made.
///
/// # Errors
/// See [`InstallError`].
pub fn install(run_as: RunAs, config: Option<&Path>) -> Result<(), InstallError> {
    check_system()?;
    if let Some(config) = config {
        place::put_in_place(run_as, config)?;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if run_as == RunAs::Flotilla && !users.lines().any(|line| line.starts_with("flotilla:")) && !knows_user()
    {
        return Err(InstallError::NoUser);
    }
    let program = match config {
        Some(_) => PROGRAM.into(),
        None => own_program()?,
    };
    proxy::keep(Path::new(PROXY_FILE)).map_err(|source| write(PROXY_FILE, source))?;
    let engine = users_engine::find(Path::new(users_engine::FOLDERS));
    let unit = unit(&program, run_as, engine.as_deref())?;
    file::replace(Path::new(UNIT_PATH), unit.as_bytes(), 0o644).map_err(|source| write(UNIT_PATH, source))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", "--quiet", UNIT])?;
    // A service that gave up (exit 77 or 78) has to be forgiven before it starts again.
    let _ = systemctl(&["reset-failed", UNIT]);
    systemctl(&["restart", UNIT])
}

/// Stops the service and removes its unit and its proxy, which may have a password. The state stays: it is the device's
/// identity.
///
/// # Errors
/// See [`InstallError`].
pub fn uninstall() -> Result<(), InstallError> {
    check_system()?;
    match fs::symlink_metadata(UNIT_PATH) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        _ => systemctl(&["disable", "--now", "--quiet", UNIT])?,
    }
    fs::remove_file(UNIT_PATH).map_err(|source| write(UNIT_PATH, source))?;
    file::remove(Path::new(PROXY_FILE)).map_err(|source| write(PROXY_FILE, source))?;
    systemctl(&["daemon-reload"])?;
    // A service that gave up stays listed as failed even without its unit; any other is unknown by now, and the call
    // fails.
    let _ = systemctl(&["reset-failed", UNIT]);
    Ok(())
}

fn write(path: &str, source: io::Error) -> InstallError {
    let path = path.into();
    InstallError::Write { path, source }
}

/// The path of this program, if only root can change what is there.
fn own_program() -> Result<PathBuf, InstallError> {
    let unusable = |source| write(UNIT_PATH, source);
    let program = std::env::current_exe().map_err(unusable)?;
    if is_roots(&program).map_err(unusable)? {
        Ok(program)
    } else {
        Err(InstallError::Changeable(program))
    }
}

/// Whether the file and all folders above it are root's, and not writable for every user. Groups such as Debian's
/// `staff` count as root's: root put their members there.
fn is_roots(path: &Path) -> io::Result<bool> {
    path.ancestors().try_fold(true, |so_far, part| {
        let part = fs::metadata(part)?;
        Ok(so_far && part.uid() == 0 && part.mode() & 0o002 == 0)
    })
}

/// The unit's text. `users_engine` is the socket of one user's own engine.
fn unit(program: &Path, run_as: RunAs, users_engine: Option<&Path>) -> Result<String, InstallError> {
    let text = program.to_string_lossy();
    // Systemd reads blanks, quotes, specifiers and variables as more than a path.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if !program.is_absolute() || !text.chars().all(plain) {
        return Err(InstallError::Place(program.to_owned()));
    }
    let user = match run_as {
        RunAs::Flotilla => USER,
        RunAs::Root => "root",
    };
    let engine = users_engine.unwrap_or(Path::new("")).to_string_lossy();
    Ok(TEMPLATE
        .replace("@PROGRAM@", &text)
        .replace("@USER@", user)
        .replace("@USERS_ENGINE@", &engine))
}

fn check_system() -> Result<(), InstallError> {
    if !rustix::process::geteuid().is_root() {
        return Err(InstallError::NotRoot);
    }
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(InstallError::NoSystemd);
    }
    Ok(())
}

/// Whether the system knows the service's user; it may come from a directory service instead of the file.
fn knows_user() -> bool {
    let id = Command::new("id")
        .args(["-u", USER])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    id.is_ok_and(|status| status.success())
}

fn systemctl(arguments: &[&str]) -> Result<(), InstallError> {
    run("systemctl", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), InstallError> {
    let failed = |reason: String| InstallError::Command {
        command: format!("{program} {}", arguments.join(" ")),
        reason,
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_unit_names_program_and_user_and_nothing_is_left_open() {
        let text = unit(Path::new("/usr/local/bin/flotilla-agent"), RunAs::Flotilla, None).unwrap();
        assert!(
            text.contains("ExecStart=/usr/local/bin/flotilla-agent run\n")
                && text.contains("User=flotilla\n")
        );
        assert!(
            text.contains("RestartPreventExitStatus=77 78\n")
                && !text.contains("@PROGRAM@")
                && !text.contains("@USER@")
                && text.contains("FLOTILLA_USERS_ENGINE=\n")
        );
        for right in [
            "AmbientCapabilities=CAP_NET_ADMIN\n",
            "DeviceAllow=/dev/net/tun rw\n",
        ] {
            assert!(text.contains(right), "without {right} the service has no mesh");
        }
        let engine = Path::new("/run/user/1000/docker.sock");
        let text = unit(Path::new("/opt/agent"), RunAs::Root, Some(engine)).unwrap();
        assert!(text.contains("User=root\n"));
        assert!(text.contains("FLOTILLA_USERS_ENGINE=/run/user/1000/docker.sock\n"));
    }

    #[test]
    fn a_program_that_other_users_can_change_is_no_service() {
        assert!(is_roots(Path::new("/bin/sh")).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("flotilla-agent");
        fs::write(&program, "").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!is_roots(&program).unwrap(), "its folder is open to every user");
        assert!(is_roots(&dir.path().join("none")).is_err());
    }

    #[test]
    fn a_path_that_systemd_would_read_otherwise_is_refused() {
        for path in [
            "agent",
            "/opt/my agent",
            "/opt/%n",
            "/opt/a\nExecStart=/bin/sh",
            "/opt/$HOME",
        ] {
            assert!(
                matches!(
                    unit(Path::new(path), RunAs::Root, None),
                    Err(InstallError::Place(_))
                ),
                "{path}"
            );
        }
    }
}
