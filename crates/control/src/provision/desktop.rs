//! Docker Desktop: its engine runs in a virtual machine, and host networking there is that machine's.
//!
//! A text for host networking says so before it starts anything, unless the device's owner decided for host networking
//! there.

use super::{
    shell::{quote, quote_powershell},
    source::Source,
};
use flotilla_protocol::device::NetworkMode;

/// The format with which the engine is asked: its operating system or its name says that it is Docker Desktop.
const ASKED: &str = "'{{.OperatingSystem}} {{.Name}}'";

/// A step that fails on Docker Desktop and says why. An engine that does not understand the question is not Docker
/// Desktop.
pub(super) fn check(source: &Source, engine: &str) -> Option<String> {
    let message = quote(&message(source)?);
    Some(format!(
        "case $({engine} info --format {ASKED} 2>/dev/null) in\n  \
           *'Docker Desktop'* | *' docker-desktop') echo {message} >&2; false ;;\nesac"
    ))
}

/// The step in PowerShell, which returns from the block that it is in.
pub(super) fn check_powershell(source: &Source) -> Option<String> {
    let message = quote_powershell(&message(source)?);
    Some(format!(
        "if ((docker info --format {ASKED}) -match 'Docker Desktop| docker-desktop$') {{ Write-Warning {message}; return }}"
    ))
}

/// The remark at the head of a Compose file, which can't ask the engine.
pub(super) fn remark(source: &Source) -> Option<&'static str> {
    is_doubtful(source).then_some(
        "# Not for Docker Desktop: host networking there reaches its virtual machine, not the computer.\n",
    )
}

fn message(source: &Source) -> Option<String> {
    let name = &source.config.device_name;
    is_doubtful(source).then(|| {
        format!(
            "This is Docker Desktop. Host networking would join its virtual machine, not this computer, so nothing was started. \
             In Flotilla, choose Pause container or Bridge networking for {name}, or decide for it all the same \
             (flotilla device keep-host {name}), and paste the new command."
        )
    })
}

fn is_doubtful(source: &Source) -> bool {
    source.mode() == NetworkMode::Host && !source.host_kept
}
