//! Nested cargo: commands with the toolchain in use, and the files that they built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process;

/// The profiles of the workspace: `dev` is compiled fast, `release` runs fast, `dist` is for users' downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    /// For `run` and `demo`: optimized where it is needed, and compiled fast, since a person waits for it.
    App,
    Release,
    Dist,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::App => "app",
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }
}

/// `cargo SUBCOMMAND` with the toolchain in use.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut cargo = process::command("cargo");
    cargo.arg(subcommand);
    cargo
}

/// What `cargo metadata` says of the packages in a workspace, without those of registries.
pub(crate) fn metadata(directory: &Path) -> Result<Value> {
    let output = cargo("metadata")
        .current_dir(directory)
        .args(["--no-deps", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo cannot read the workspace:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

/// Runs a `cargo build` and returns the files it made (or found fresh), by target name. Its messages for people are
/// shown.
pub(crate) fn build(command: &mut Command) -> Result<Vec<Artifact>> {
    let output = command
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo build failed");
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .flat_map(artifacts_of_message)
        .collect())
}

/// Makes cargo compile our own packages by clippy's driver, which is the compiler with clippy's lints in it. What it
/// builds is what the checks run: a `cargo clippy` before the build would compile every dependency a second time.
pub(crate) fn by_clippy(command: &mut Command) -> &mut Command {
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
}

/// Builds all targets of the workspace by clippy. Where it finds mistakes they are shown, and the result is an error
/// although all may be built.
pub(crate) fn build_by_clippy() -> Result<()> {
    let mut command = cargo("build");
    let output = by_clippy(&mut command)
        .args(["--workspace", "--all-targets", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let mistakes: Vec<_> = messages.lines().filter_map(mistake_of_message).collect();
    for mistake in &mistakes {
        eprintln!("{mistake}");
    }
    ensure!(output.status.success(), "cargo build failed");
    ensure!(
        mistakes.is_empty(),
        "clippy found mistakes, which are shown above"
    );
    Ok(())
}

fn mistake_of_message(line: &str) -> Option<String> {
    let message = serde_json::from_str::<Value>(line).ok()?;
    let told = message["message"]["rendered"].as_str()?;
    Some(told.to_owned())
}

/// Builds one program with the features that it has on its own, and returns its path.
pub(crate) fn build_program(package: &str, program: &str, profile: Profile) -> Result<PathBuf> {
    let mut command = cargo("build");
    command.args([
        "--package",
        package,
        "--bin",
        program,
        "--profile",
        profile.name(),
    ]);
    program_of(&build(&mut command)?, program)
}

/// Builds targets of the workspace with the features that all of its packages together ask for, as `cargo nextest run
/// --workspace` does: whatever both need is compiled once.
///
/// Features of dev-dependencies are among them only where a test or an example is asked for.
pub(crate) fn build_of_workspace(profile: Profile, targets: &[&str]) -> Result<Vec<Artifact>> {
    let mut command = cargo("build");
    if profile == Profile::Dev {
        by_clippy(&mut command);
    }
    command.args(["--workspace", "--profile", profile.name()]);
    build(command.args(targets))
}

pub(crate) fn program_of(artifacts: &[Artifact], program: &str) -> Result<PathBuf> {
    let built = artifacts.iter().find(|artifact| artifact.target == program);
    Ok(built
        .with_context(|| format!("cargo built no program `{program}`"))?
        .file
        .clone())
}

/// A file that cargo built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    pub(crate) target: String,
    pub(crate) file: PathBuf,
}

fn artifacts_of_message(line: &str) -> Vec<Artifact> {
    let Ok(message) = serde_json::from_str::<Value>(line) else {
        return Vec::new();
    };
    // A program's unit tests are another file under the same name.
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] == true {
        return Vec::new();
    }
    let target = message["target"]["name"].as_str().unwrap_or_default();
    let files = message["filenames"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    files
        .map(|file| Artifact {
            target: target.to_owned(),
            file: file.into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_read_from_messages_and_other_lines_ignored() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"flotilla"},"filenames":["/t/debug/flotilla"]}"#;
        let expected = Artifact {
            target: "flotilla".to_owned(),
            file: "/t/debug/flotilla".into(),
        };
        assert_eq!(artifacts_of_message(line), [expected]);
        assert_eq!(
            artifacts_of_message(r#"{"reason":"build-finished","success":true}"#),
            []
        );
        assert_eq!(artifacts_of_message("warning: not JSON"), []);
    }

    #[test]
    fn mistakes_are_read_from_messages_and_other_lines_ignored() {
        let line =
            r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: unused"}}"#;
        assert_eq!(mistake_of_message(line).as_deref(), Some("warning: unused"));
        assert_eq!(
            mistake_of_message(r#"{"reason":"build-finished","success":true}"#),
            None
        );
    }

    #[test]
    fn the_unit_tests_of_a_program_are_not_the_program() {
        let tests = r#"{"reason":"compiler-artifact","target":{"name":"flotilla"},"profile":{"test":true},"filenames":["/t/debug/deps/flotilla-1"]}"#;
        assert_eq!(artifacts_of_message(tests), []);
    }
}
