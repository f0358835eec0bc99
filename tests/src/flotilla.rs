//! The real programs: control on the control computer, agents on the machines.

mod agent;
mod control;

pub use agent::{Agent, AgentSetup, write_private};
pub use control::{Control, ControlSetup, ReadyLine};

use anyhow::{Context, Result};
use flotilla_protocol::api::DeviceAdded;
use flotilla_protocol::enroll::ConfigFile;

/// The text of the config file that Add Device offers for download.
pub fn config_text(added: &DeviceAdded) -> Result<&str> {
    added
        .config
        .as_deref()
        .with_context(|| format!("no config file: {:?}", added.unavailable.config))
}

/// The config file, parsed.
pub fn config(added: &DeviceAdded) -> Result<ConfigFile> {
    Ok(toml::from_str(config_text(added)?)?)
}

/// The install command of Add Device.
pub fn install_line(added: &DeviceAdded) -> Result<&str> {
    added
        .install
        .as_deref()
        .with_context(|| format!("no install line: {:?}", added.unavailable.install))
}

/// An install line that hands these flags to the installer, in the form that the README shows.
#[must_use]
pub fn with_flags(install_line: &str, flags: &str) -> String {
    install_line.replace("| sudo bash", &format!("| sudo bash -s -- {flags}"))
}
