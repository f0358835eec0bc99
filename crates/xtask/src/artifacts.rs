//! The built programs and the directories that tests, benches and soaks need, passed to them by environment variables.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::agent;
use crate::cargo::{Artifact, Profile, build_of_workspace, program_of};
use crate::checkout::Checkout;
use crate::process::command;
use crate::step::step;

/// Targets that are always built.
const IN_EVERY_BUILD: [&str; 4] = ["--bin", "flotilla", "--example", "dataplane"];

/// Targets, and the environment variables that name their files.
const VARIABLES: [(&str, &str); 4] = [
    ("flotilla", "FLOTILLA_BIN"),
    ("dataplane", "FLOTILLA_DATAPLANE_BIN"),
    ("relay_load", "FLOTILLA_RELAY_LOAD_BIN"),
    ("flotilla-desktop", "FLOTILLA_DESKTOP_BIN"),
];

/// Built programs, and a directory of agents.
pub(crate) struct Artifacts {
    programs: Vec<Artifact>,
    agents: PathBuf,
}

impl Artifacts {
    /// Builds the server, the data plane without an agent, and the targets that `also` names. `agents` is a directory
    /// that has been built.
    pub(crate) fn build(profile: Profile, agents: PathBuf, also: &[&str]) -> Result<Self> {
        let targets = [&IN_EVERY_BUILD, also].concat();
        let programs = step("Building the programs", || build_of_workspace(profile, &targets))?;
        Ok(Self { programs, agents })
    }

    /// The command that starts one of the built programs, with all variables set.
    pub(crate) fn program(&self, checkout: &Checkout, name: &str) -> Result<Command> {
        let mut command = command(program_of(&self.programs, name)?);
        self.export_to(checkout, &mut command);
        Ok(command)
    }

    /// Sets the variables in the environment of a command.
    pub(crate) fn export_to(&self, checkout: &Checkout, command: &mut Command) {
        for (program, variable) in VARIABLES {
            if let Ok(place) = program_of(&self.programs, program) {
                command.env(variable, place);
            }
        }
        command
            .env("FLOTILLA_AGENT_BIN", agent::native_program(&self.agents))
            .env("FLOTILLA_AGENTS_DIR", &self.agents)
            .env("FLOTILLA_UI_DIR", checkout.ui_dist())
            .env("FLOTILLA_LAB_DIR", checkout.lab());
    }
}
