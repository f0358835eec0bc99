//! Child processes: arguments are never read by a shell, and variables that cargo set for this program are removed.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// A command without the variables that `cargo run` set for xtask. They would override the compiler of a nested cargo,
/// or make it rebuild what did not change.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if is_of_cargo_run(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_cargo_run(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CFG_"];
    const NAMES: [&str; 8] = [
        "CARGO",
        "CARGO_CRATE_NAME",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "LD_LIBRARY_PATH",
        "RUSTC",
        "RUSTDOC",
        "RUST_RECURSION_COUNT",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Runs a command to its end, with its output on the terminal; an error names the program and its status.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    match status.success() {
        true => Ok(()),
        false => bail!("`{}` ended with {status}", shown(command)),
    }
}

/// Runs a command to its end without showing its output, which is in the error when the command fails.
pub(crate) fn check_quietly(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| cannot_start(command))?;
    if output.status.success() {
        return Ok(());
    }
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    bail!("`{}` ended with {}\n{out}{err}", shown(command), output.status)
}

/// The trimmed stdout of a program; `None` when the program is missing or failed.
pub(crate) fn lookup_output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Replaces this process by the program, which then gets signals and gives the exit status itself. Returns only when
/// the program could not be started.
pub(crate) fn become_program(command: &mut Command) -> anyhow::Error {
    let error = command.exec();
    anyhow!(error).context(cannot_start(command))
}

/// A command with the rights of root: the program itself when this process is root, else through sudo.
pub(crate) fn as_root(program: &str) -> Command {
    if is_root() {
        return command(program);
    }
    let mut sudo = command("sudo");
    sudo.arg(program);
    sudo
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds a program on `PATH`, or in the `sbin` directories, which `PATH` of an ordinary user may lack.
pub(crate) fn lookup_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().to_string_lossy())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_of_the_outer_cargo_is_not_handed_on() {
        for name in ["RUSTC", "CARGO", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(is_of_cargo_run(name), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_HOME", "CARGO_BUILD_JOBS", "PATH"] {
            assert!(!is_of_cargo_run(name), "{name}");
        }
    }

    #[test]
    fn a_failure_shows_what_the_program_wrote() {
        let error = check_quietly(command("ls").arg("/no/such/file"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("`ls /no/such/file` ended with"), "{error}");
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn an_absent_program_is_not_found() {
        assert!(lookup_program("sh").is_some());
        assert!(lookup_program("no-such-program").is_none());
    }
}
