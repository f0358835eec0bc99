//! The texts of Add Device that run the agent in a container, and what a person does with them.
//!
//! Each text is pasted unchanged, on a machine that has an engine and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result};
use flotilla_protocol::api::DeviceAdded;

use crate::artifacts;
use crate::flotilla::{config_text, write_private};
use crate::lab::Machine;
use crate::program::run;

/// In a text, the command that creates the agent's container has these words after the engine's name.
const CREATION: &str = " run -d --name flotilla-agent ";

/// Names of the containers of Flotilla on a device.
pub const AGENT: &str = "flotilla-agent";
pub const PAUSE: &str = "flotilla-pause";

/// One of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallText {
    DockerRun,
    Compose,
    /// The config file, and the command that runs an agent with it.
    Config,
}

impl InstallText {
    pub const ALL: [Self; 3] = [Self::DockerRun, Self::Compose, Self::Config];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DockerRun => "docker-run",
            Self::Compose => "compose",
            Self::Config => "config",
        }
    }

    fn of(self, added: &DeviceAdded) -> Result<&str> {
        let text = match self {
            Self::DockerRun => &added.docker_run,
            Self::Compose => &added.compose,
            Self::Config => &added.config_run,
        };
        let text = text.as_deref();
        text.with_context(|| format!("no {}: {:?}", self.name(), added.unavailable))
    }

    /// Follows the instructions of the text on a machine.
    pub fn paste(self, machine: &Machine, added: &DeviceAdded) -> Result<()> {
        let text = self.of(added)?;
        match self {
            Self::DockerRun => machine.paste(text)?,
            Self::Config => {
                let file = format!("{}.device.toml", added.device.name);
                write_private(&machine.directory().join(file), config_text(added)?)?;
                machine.paste(text)?
            }
            Self::Compose => {
                let folder = machine.directory().join("agent");
                fs::create_dir_all(&folder)?;
                write_private(&folder.join("compose.yaml"), text)?;
                machine.paste(&first_step(text))?;
                compose(machine, "up -d")?
            }
        };
        Ok(())
    }

    /// Removes the agent's container, but not its volume.
    pub fn remove(self, machine: &Machine) -> Result<()> {
        match self {
            Self::DockerRun | Self::Config => run(machine.docker().args(["rm", "--force", AGENT])),
            Self::Compose => compose(machine, "down"),
        }
        .map(drop)
    }

    /// Creates the container again by the last command of the text. Its token is used up and left out of the command.
    pub fn create_again(self, machine: &Machine, added: &DeviceAdded) -> Result<()> {
        match self {
            Self::Compose => compose(machine, "up -d --force-recreate"),
            Self::DockerRun | Self::Config => machine.paste(&creation(self.of(added)?)?),
        }
        .map(drop)
    }
}

/// Adds services to the pasted compose file, as the example in that file says.
pub fn add_services(machine: &Machine, services: &str) -> Result<()> {
    let file = machine.directory().join("agent/compose.yaml");
    let text = fs::read_to_string(&file)?;
    let (before, volumes) = text.split_once("\nvolumes:\n").context("it has no volumes")?;
    fs::write(&file, format!("{before}\n{services}volumes:\n{volumes}"))?;
    compose(machine, "up -d").map(drop)
}

/// The commands in the comment at the top of a compose file.
fn first_step(text: &str) -> String {
    let commands = text.lines().filter_map(|line| line.strip_prefix("#   "));
    commands.collect::<Vec<_>>().join("\n")
}

/// The command of a text that creates the agent's container, without token and config file.
fn creation(text: &str) -> Result<String> {
    let at = text
        .find(CREATION)
        .context("no command creates the agent's container")?;
    let words = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("-e FLOTILLA_") && !line.starts_with("--cap-add DAC_OVERRIDE --mount")
    };
    let kept: Vec<_> = text[at..].lines().filter(words).collect();
    let command = format!("docker{}", kept.join("\n"));
    let command = command.replace("\"$engine\"", "docker");
    Ok(command.replace(" run --config /etc/flotilla/device.toml", ""))
}

/// `docker compose` in the folder of the agent's file.
fn compose(machine: &Machine, what: &str) -> Result<String> {
    let line = format!("docker compose {what}");
    let mut shell = machine.command("bash");
    shell
        .current_dir(machine.directory().join("agent"))
        .env("DOCKER_CONFIG", plugins(machine)?)
        .args(["-c", &line]);
    run(&mut shell)
}

/// A configuration folder with which the docker command line finds its Compose plugin.
fn plugins(machine: &Machine) -> Result<PathBuf> {
    let config = machine.directory().join("docker-config");
    let folder = config.join("cli-plugins");
    if !folder.exists() {
        fs::create_dir_all(&folder)?;
        symlink(
            artifacts::lab_file("bin/docker-compose")?,
            folder.join("docker-compose"),
        )?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_creates_the_container_again_holds_neither_token_nor_config_file() {
        let text = "image=$(mktemp) &&\n\
                    \"$engine\" run -d --name flotilla-agent --pull never \\\n  \
                    -v /var/run/docker.sock:/var/run/docker.sock \\\n  \
                    -e FLOTILLA_ENROLL_URL=https://h:1 -e FLOTILLA_TOKEN=secret \\\n  \
                    flotilla/agent:1 run --config /etc/flotilla/device.toml";
        assert_eq!(
            creation(text).unwrap(),
            "docker run -d --name flotilla-agent --pull never \\\n  \
             -v /var/run/docker.sock:/var/run/docker.sock \\\n  flotilla/agent:1"
        );
    }

    #[test]
    fn the_head_of_a_compose_file_holds_commands_to_copy() {
        let text = "# 1. Load:\n#   a &&\n#   b\n# 2. Then: docker compose up -d\nservices: {}\n";
        assert_eq!(first_step(text), "a &&\nb");
    }
}
