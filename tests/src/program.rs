//! Child processes: arguments are never read by a shell, output goes to files, and dropping a [`Program`] ends it.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::eventually_blocking;

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    out: PathBuf,
    log: PathBuf,
}

impl Program {
    /// Starts the command with stdout in `DIRECTORY/NAME.out` and stderr in `DIRECTORY/NAME.log`, both appended to.
    pub fn start(command: &mut Command, directory: &Path, name: &str) -> Result<Self> {
        let [out, log] = ["out", "log"].map(|kind| directory.join(format!("{name}.{kind}")));
        let append = |path: &Path| File::options().create(true).append(true).open(path);
        command
            .stdin(Stdio::null())
            .stdout(append(&out)?)
            .stderr(append(&log)?);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", shown(command)))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            out,
            log,
        })
    }

    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that the program wrote on stdout so far.
    pub fn output(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.out)?)
    }

    /// All that the program wrote on stderr so far.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }

    /// An error with the last lines of its output when the program has ended.
    pub fn ensure_running(&mut self) -> Result<()> {
        let status = self.child.try_wait()?;
        ensure!(
            status.is_none(),
            "{} ended with {}:\n{}",
            self.name,
            status.unwrap_or_default(),
            self.tail()
        );
        Ok(())
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Waits until the program ends by itself.
    pub fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        let status = eventually_blocking(&what, within, || self.child.try_wait()?.context("still running"));
        status.with_context(|| self.tail())
    }

    /// Asks the program to stop (SIGTERM), and waits until it has ended.
    pub fn terminate(&mut self, within: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended(within)
    }

    /// Ends the program without a chance to clean up (SIGKILL), as a power failure does.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        let status = self.child.wait()?;
        ensure!(
            status.signal() == Some(9),
            "{} had already ended with {status}",
            self.name
        );
        Ok(())
    }

    /// The last lines of stdout and of stderr: some programs say on stdout why they end.
    fn tail(&self) -> String {
        let written = [self.output(), self.log()].map(Result::unwrap_or_default);
        let ends = written.iter().map(|text| {
            let lines: Vec<_> = text.lines().rev().take(20).collect();
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        });
        ends.filter(|end| !end.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs a command to its end and returns stdout, trimmed at its end; an error shows all that was written.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !output.status.success() {
        bail!("`{}` ended with {}\n{out}{err}", shown(command), output.status);
    }
    Ok(out.trim_end().to_owned())
}

/// How a command ended, and all that it wrote: stdout, then stderr.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub said: String,
}

impl Outcome {
    /// Fails unless the command ended with this code and its output contains each of these texts.
    pub fn ended_with(&self, code: i32, words: &[&str]) -> Result<()> {
        let Self { code: found, said } = self;
        ensure!(
            *found == Some(code),
            "it ended with {found:?} and not with {code}:\n{said}"
        );
        for expected in words {
            ensure!(said.contains(expected), "it does not say \"{expected}\":\n{said}");
        }
        Ok(())
    }
}

/// Runs a command to its end; an exit code other than 0 is no error.
pub fn attempt(command: &mut Command) -> Result<Outcome> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Outcome {
        code: output.status.code(),
        said: out + &err,
    })
}

/// A command with its arguments, as one expression.
pub fn command<S: AsRef<std::ffi::OsStr>>(
    program: impl AsRef<std::ffi::OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
