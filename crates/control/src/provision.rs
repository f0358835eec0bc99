//! The texts that people paste to run a device's agent, and the downloads that those texts fetch.
//!
//! Everything is derived from one [`ConfigFile`], which says who the device is and holds its one-time token, and from
//! the pin that curl checks. A method that does not fit a network mode has no text, but the reason. Whichever text
//! starts the agent, it keeps its identity in one named place.

mod builds;
mod commands;
mod compose;
mod config;
mod container;
mod desktop;
pub(crate) mod download;
mod pod;
mod powershell;
mod script;
mod shell;
mod source;

pub(crate) use builds::Builds;
pub(crate) use download::script_text;
use script::render as install_script;
pub(crate) use shell::quote;
use source::Source;

use crate::advertise::is_mdns_name;
use flotilla_protocol::{
    api::{AddedDevice, DeviceAdded, Unavailable},
    device::NetworkMode,
    enroll::ConfigFile,
    pin::Pin,
};

const ONLY_HOST: &str =
    "The install command runs the agent directly on the device, so it only fits Host networking.";
const NO_ADDRESS: &str = "No address is known at which devices reach this controller. Connect it to a network, or start it with --advertise HOST:PORT.";

/// A device with its token in every form that fits its network mode. `host_kept` says that its owner decided for host
/// networking even on Docker Desktop.
pub(crate) fn device_added(config: &ConfigFile, host_kept: bool, tls_pin: &Pin) -> DeviceAdded {
    let mut added = without_texts(config);
    let Some(endpoint) = config.endpoints.first() else {
        let reason = || Some(NO_ADDRESS.to_owned());
        added.unavailable = Unavailable {
            install: reason(),
            docker_run: reason(),
            compose: reason(),
            config: reason(),
        };
        return added;
    };
    let source = Source {
        config,
        endpoint,
        tls_pin,
        host_kept,
    };
    if source.mode() == NetworkMode::Host {
        added.install = Some(commands::install(&source));
    } else {
        added.unavailable.install = Some(ONLY_HOST.to_owned());
    }
    let mut others = config.endpoints.iter();
    let endpoint = others.find(|one| !is_mdns_name(one)).unwrap_or(endpoint);
    let source = Source { endpoint, ..source };
    added.docker_run = Some(commands::docker_run(&source));
    added.docker_run_powershell = Some(powershell::docker_run(&source));
    added.compose = Some(compose::text(&source));
    added.config = Some(config::text(config));
    added.config_run = Some(commands::config_run(&source));
    added
}

fn without_texts(config: &ConfigFile) -> DeviceAdded {
    DeviceAdded {
        device: AddedDevice {
            id: config.device_id,
            name: config.device_name.clone(),
            mesh_ip: config.mesh_ip,
            mode: config.network_mode,
            relay: config.relay,
            tags: config.tags.clone(),
        },
        token_expires: config.token_expires,
        install: None,
        docker_run: None,
        docker_run_powershell: None,
        compose: None,
        config: None,
        config_run: None,
        unavailable: Unavailable::default(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
