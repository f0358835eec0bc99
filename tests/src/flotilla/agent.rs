//! An agent as `flotilla-agent run` on a machine of the lab.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Result;
use flotilla_protocol::api::DeviceAdded;

use super::config_text;
use crate::artifacts;
use crate::eventually::seconds;
use crate::lab::Machine;
use crate::program::Program;

/// How an agent is started; each start from the same setup continues with the same state.
#[derive(Debug, Clone)]
pub struct AgentSetup {
    pub state_dir: PathBuf,
    pub config: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
}

impl AgentSetup {
    /// Writes the config file of a device that was just added; the state directory is beside it.
    pub fn new(machine: &Machine, added: &DeviceAdded) -> Result<Self> {
        let name = added.device.name.to_string();
        let config = machine.directory().join(format!("{name}.device.toml"));
        write_private(&config, config_text(added)?)?;
        Ok(Self {
            state_dir: machine.directory().join(format!("{name}-state")),
            config: Some(config),
            environment: Vec::new(),
        })
    }

    pub fn start(&self, machine: &Machine) -> Result<Agent> {
        let mut program = self.command(machine)?;
        Ok(Agent {
            program: Program::start(&mut program, machine.directory(), "agent")?,
        })
    }

    pub fn command(&self, machine: &Machine) -> Result<Command> {
        self.command_as(machine, &[])
    }

    /// The same command run by other programs, which change its rights or what it sees (`setpriv …`).
    pub fn command_as(&self, machine: &Machine, before: &[&str]) -> Result<Command> {
        let agent = artifacts::agent()?;
        let mut words = before.iter().map(Path::new).chain([agent.as_path()]);
        let mut command = machine.command(words.next().unwrap_or(&agent));
        command
            .args(words)
            .arg("run")
            .arg("--state-dir")
            .arg(&self.state_dir);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command
            .envs(self.environment.iter().cloned())
            .env("RUST_LOG", "info");
        Ok(command)
    }
}

/// A running agent. Dropping it kills it.
#[derive(Debug)]
pub struct Agent {
    program: Program,
}

impl Agent {
    /// Starts the agent of a device that was just added; the agent enrolls it.
    pub fn start(machine: &Machine, added: &DeviceAdded) -> Result<Self> {
        AgentSetup::new(machine, added)?.start(machine)
    }

    pub fn kill(&mut self) -> Result<()> {
        self.program.kill()
    }

    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.program.terminate(seconds(10.0))
    }

    /// Waits until the agent ends by itself; returns its exit code.
    pub fn exit_code(&mut self, within: Duration) -> Result<Option<i32>> {
        Ok(self.program.ended(within)?.code())
    }

    #[must_use]
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// All that agents on this machine have logged, over all starts.
    pub fn log(&self) -> Result<String> {
        self.program.log()
    }
}

/// Writes a file that only its owner may read, as a file with a token must be.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}
