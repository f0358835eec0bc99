//! The programs under test and the places of all that they need, told by environment to the program that starts them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::agent;
use crate::cargo::{Artifact, Profile, build_of_workspace, program_of};
use crate::checkout::Checkout;
use crate::process::command;
use crate::step::step;

/// What every build of parts asks cargo for.
const IN_EVERY_BUILD: [&str; 4] = ["--bin", "flotilla", "--example", "dataplane"];

/// Programs, and the variables by which tests and benches find them.
const VARIABLES: [(&str, &str); 4] = [
    ("flotilla", "FLOTILLA_BIN"),
    ("dataplane", "FLOTILLA_DATAPLANE_BIN"),
    ("relay_load", "FLOTILLA_RELAY_LOAD_BIN"),
    ("flotilla-desktop", "FLOTILLA_DESKTOP_BIN"),
];

/// What a program that starts the real thing must be told: where every part of it is.
pub(crate) struct Artifacts {
    programs: Vec<Artifact>,
    agents: PathBuf,
}

impl Artifacts {
    /// The server, a data plane without an agent, and other targets of the workspace beside a directory of agents.
    pub(crate) fn build(profile: Profile, agents: PathBuf, also: &[&str]) -> Result<Self> {
        let targets = [&IN_EVERY_BUILD, also].concat();
        let programs = step("Building the programs", || build_of_workspace(profile, &targets))?;
        Ok(Self { programs, agents })
    }

    /// One of the programs that live with the tests, told where the parts are.
    pub(crate) fn program(&self, checkout: &Checkout, name: &str) -> Result<Command> {
        let mut command = command(program_of(&self.programs, name)?);
        self.export_to(checkout, &mut command);
        Ok(command)
    }

    /// Puts the places of all parts into a child's environment.
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
