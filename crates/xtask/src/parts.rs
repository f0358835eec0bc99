//! The programs under test and the places of all that they need, told to whoever starts them by environment.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::process::command;
use crate::step::step;
use crate::{agent, ui};

/// What a program that starts the real thing must be told: where every part of it is.
pub(crate) struct Parts {
    flotilla: PathBuf,
    dataplane: PathBuf,
    agents: PathBuf,
    desktop: Option<PathBuf>,
    profile: Profile,
}

impl Parts {
    /// With the UI, which tests without a browser do not need.
    pub(crate) fn build(checkout: &Checkout, profile: Profile) -> Result<Self> {
        ui::bundle(checkout)?;
        Self::build_programs(profile, agent::build(checkout, profile)?)
    }

    pub(crate) fn build_programs(profile: Profile, agents: PathBuf) -> Result<Self> {
        let flotilla = step("Building the server", || {
            cargo::build_program("flotilla", "flotilla", profile)
        })?;
        let dataplane = step("Building a data plane without an agent", || {
            cargo::build_example("flotilla-tunnel", "dataplane", profile)
        })?;
        Ok(Self {
            flotilla,
            dataplane,
            agents,
            desktop: None,
            profile,
        })
    }

    pub(crate) fn with_desktop(mut self) -> Result<Self> {
        let build = || cargo::build_program("flotilla-desktop", "flotilla-desktop", self.profile);
        self.desktop = Some(step("Building the desktop app", build)?);
        Ok(self)
    }

    /// One of the programs that live with the tests, told where the parts are.
    pub(crate) fn program(&self, checkout: &Checkout, name: &str) -> Result<Command> {
        let title = format!("Building `{name}`");
        let program = step(&title, || {
            cargo::build_program("flotilla-tests", name, self.profile)
        })?;
        let mut command = command(program);
        self.tell(checkout, &mut command);
        Ok(command)
    }

    /// Puts the places of all parts into a child's environment.
    pub(crate) fn tell(&self, checkout: &Checkout, command: &mut Command) {
        command
            .env("FLOTILLA_BIN", &self.flotilla)
            .env("FLOTILLA_DATAPLANE_BIN", &self.dataplane)
            .env("FLOTILLA_AGENT_BIN", agent::native_program(&self.agents))
            .env("FLOTILLA_AGENTS_DIR", &self.agents)
            .env("FLOTILLA_UI_DIR", checkout.ui_dist())
            .env("FLOTILLA_LAB_DIR", checkout.lab());
        if let Some(desktop) = &self.desktop {
            command.env("FLOTILLA_DESKTOP_BIN", desktop);
        }
    }
}
