//! The way for this computer onto the mesh. It takes a right that a desktop application does not have, and should
//! not: instead, one click installs the agent as a service of the system.
//!
//! Life cycle: offered while this computer's own agent may not make an interface → chosen: the device is rotated,
//! and its new config file handed to `flotilla-agent install`, for which the system asks the person → the service
//! enrolls as this very device, and the embedded agent ends. The application itself never runs as root.

use flotilla_client::Client;
use flotilla_protocol::{
    api::{ListDevices, RotateDevice},
    device::Device,
    shell::ServiceOutcome,
};
use std::{
    env,
    ffi::OsString,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// Asks the person, by whatever means the desktop has, and runs a program as root.
const PKEXEC: &str = "pkexec";

/// What pkexec says when nobody agreed, or nobody could be asked.
const REFUSED: [i32; 2] = [126, 127];

/// Why the service was not installed. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotInstalled {
    #[error("This computer is no device of this fleet.")]
    NoDevice,
    #[error("The program flotilla-agent is missing. Install Flotilla again, or start it with --agents-dir.")]
    NoAgent,
    #[error("{0}")]
    Control(#[from] flotilla_client::Error),
    #[error("The device's config file could not be written: {0}.")]
    Write(#[from] io::Error),
    /// Nobody can be asked for a password here; the file is left for the command.
    #[error("Nothing on this desktop can ask for your permission. Paste this into a terminal: {0}")]
    NoPkexec(String),
    #[error("Nothing was installed, because nobody agreed to it.")]
    Declined,
    #[error("The service could not be installed: {0}")]
    Failed(String),
}

impl From<NotInstalled> for ServiceOutcome {
    fn from(error: NotInstalled) -> Self {
        match error {
            NotInstalled::NoPkexec(command) => Self::NotInstalled {
                message: "Nothing on this desktop can ask for your permission. Run this in a terminal."
                    .to_owned(),
                command: Some(command),
            },
            error => Self::NotInstalled {
                message: error.to_string(),
                command: None,
            },
        }
    }
}

/// Whether this system has such services.
pub(crate) const OFFERED: bool = cfg!(target_os = "linux");

/// Whether installing the service would put this computer on the mesh.
pub(crate) fn helps(device: &Device) -> bool {
    OFFERED && device.this_computer && device.lacks_mesh_right()
}

/// Installs the service in this computer's name.
pub(crate) async fn install(data_dir: &Path, agents_dir: Option<&Path>) -> Result<(), NotInstalled> {
    let agent = agent(agents_dir).ok_or(NotInstalled::NoAgent)?;
    let client = Client::from_data_dir(data_dir)?;
    let devices = client.send(&ListDevices).await?.items;
    let own = devices.into_iter().find(|device| device.this_computer);
    let rotate = RotateDevice {
        device: own.ok_or(NotInstalled::NoDevice)?.id.to_string(),
        expires_seconds: None,
    };
    let config = client.send(&rotate).await?.config.ok_or(NotInstalled::NoDevice)?;
    let file = data_dir.join("service.device.toml");
    write_private(&file, &config)?;
    let command = command(&agent, &file);
    let output = match Command::new(PKEXEC).args(&command).output().await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(NotInstalled::NoPkexec(pasted(&command)));
        }
        output => output,
    };
    // The service has its own copy by now.
    fs::remove_file(&file)?;
    let output = output?;
    match output.status.code() {
        Some(0) => Ok(()),
        Some(code) if REFUSED.contains(&code) => Err(NotInstalled::Declined),
        _ => Err(NotInstalled::Failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// Beside this program, or among the agents that devices download.
fn agent(agents_dir: Option<&Path>) -> Option<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join("flotilla-agent")));
    let served = agents_dir.map(|dir| dir.join(format!("{}-linux/flotilla-agent", env::consts::ARCH)));
    beside.into_iter().chain(served).find(|path| path.is_file())
}

/// What runs as root.
fn command(agent: &Path, config: &Path) -> [OsString; 4] {
    [agent.into(), "install".into(), "--config".into(), config.into()]
}

/// The same for a person with a terminal.
fn pasted(command: &[OsString]) -> String {
    let words = command.iter().map(|word| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    ["sudo".to_owned()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// It holds a token.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(this_computer: bool, attention: serde_json::Value) -> Device {
        serde_json::from_value(serde_json::json!({
            "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "name": "desk", "status": "online", "cordoned": false,
            "draining": false, "attention": attention, "mesh_ip": "100.64.0.7", "mode": "host", "relay": "auto",
            "tags": [], "this_computer": this_computer, "as_of": "2026-01-02T03:04:05Z",
            "created": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_is_offered_for_this_computer_when_a_right_is_missing() {
        let lacking = serde_json::json!([{"kind": "mesh", "code": "no_tun", "reason": "no right"}]);
        let overlap = serde_json::json!([{"kind": "mesh", "code": "range_overlap", "reason": "in the way"}]);
        assert!(helps(&device(true, lacking.clone())));
        assert!(!helps(&device(false, lacking)));
        assert!(!helps(&device(true, overlap)));
        assert!(!helps(&device(true, serde_json::json!([]))));
    }

    #[test]
    fn the_command_reads_the_same_in_a_terminal() {
        let command = command(Path::new("/opt/agent"), Path::new("/home/o'neill/my data/x.toml"));
        assert_eq!(
            pasted(&command),
            r"sudo /opt/agent install --config '/home/o'\''neill/my data/x.toml'"
        );
    }
}
