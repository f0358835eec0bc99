//! `install/agent.sh`, rendered for the token that fetches it.
//!
//! The values come first, then a body that is the same for all devices and is called on its last line: a download that
//! is cut short runs nothing. The body is reviewed as a file; only quoted values are put before it.

use super::{commands, config, shell::quote, source::Source};
use flotilla_protocol::{endpoint::Endpoint, enroll::ConfigFile, pin::Pin};

const BODY: &str = include_str!("agent.sh");

/// SHA-256 of the agents that can be downloaded, in hexadecimal; `None` where there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digests {
    pub(crate) x86_64: Option<String>,
    pub(crate) aarch64: Option<String>,
}

/// The installer for the device of `config`, downloading from `endpoint`: the address it was fetched from.
pub(crate) fn render(config: &ConfigFile, endpoint: &Endpoint, tls_pin: &Pin, digests: &Digests) -> String {
    let source = Source {
        config,
        endpoint,
        tls_pin,
        host_kept: false,
    };
    let digest = |digest: &Option<String>| digest.clone().unwrap_or_default();
    let values = [
        ("DEVICE", config.device_name.to_string()),
        ("CONTROL", format!("https://{endpoint}")),
        ("TLS_PIN", tls_pin.to_string()),
        ("TOKEN", config.token.clone()),
        ("SHA256_X86_64", digest(&digests.x86_64)),
        ("SHA256_AARCH64", digest(&digests.aarch64)),
        ("BINARY", "/usr/local/bin/flotilla-agent".to_owned()),
        ("STATE", "/var/lib/flotilla".to_owned()),
        ("CONFIG_FILE", "/etc/flotilla/device.toml".to_owned()),
        ("SERVICE_USER", "flotilla".to_owned()),
        ("CONFIG", config::text(config)),
        ("DOCKER_RUN", commands::docker_run(&source)),
    ];
    let values: String = values
        .iter()
        .map(|(name, value)| format!("{name}={}\n", quote(value)))
        .collect();
    format!(
        "#!/usr/bin/env bash\n# Flotilla agent installer. It holds a one-time token: don't share it.\n{values}\n{BODY}"
    )
}

#[cfg(test)]
mod tests;
