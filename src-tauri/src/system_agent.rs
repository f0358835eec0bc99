//! Puts this computer onto the mesh. That takes a right which a desktop application does not have, and should not:
//! instead, one click installs the agent as a service of the system.
//!
//! Life cycle: offered while this computer's own agent may not make an interface → chosen: the device is rotated, and
//! its new config is handed to `flotilla-agent install`, for which the system asks the person → the service enrolls as
//! this very device, and the embedded agent ends. The application itself never runs as root.
//!
//! Files of this user can change between the question and the answer, so root runs and reads none of them. It runs the
//! system's own shell on a text that is part of the question. That text copies the agent from standard input into a
//! folder of root's, and runs it only if its hash is the one that is part of the question.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_agent::PROGRAM;
use flotilla_client::Client;
use flotilla_protocol::{
    api::{ListDevices, RotateDevice, TokenLifetime},
    device::Device,
    shell::ServiceOutcome,
};
use sha2::{Digest, Sha256};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Asks the person for consent, by the means that the desktop has, and runs a program as root.
const PKEXEC: &str = "pkexec";

/// The script that root's `sh -c` runs. Its text is constant; what varies is data, in arguments and on standard input.
/// Its arguments are a folder of root's and the SHA-256 of the agent; the first line of its input is the config file in
/// base64, and the rest is the agent.
const ROOT_SCRIPT: &str = "set -eu; umask 077; IFS= read -r config; mkdir -p \"$1\"; \
    place=$(mktemp -d \"$1/flotilla.XXXXXX\"); trap 'rm -rf \"$place\"' EXIT; cat > \"$place/flotilla-agent\"; \
    printf '%s  %s\\n' \"$2\" \"$place/flotilla-agent\" | sha256sum --check --status || \
    { echo 'the agent is not the one that you were asked about' >&2; exit 1; }; \
    chmod 0700 \"$place/flotilla-agent\"; \
    printf %s \"$config\" | base64 -d | \"$place/flotilla-agent\" install --config -";

/// Exit codes of pkexec when the person did not agree, or could not be asked.
const REFUSED: [i32; 2] = [126, 127];

/// Why the service was not installed. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    #[error("This computer is no device of this fleet.")]
    NoDevice,
    #[error("The program flotilla-agent is missing. Install Flotilla again, or start it with --agents-dir.")]
    NoAgent,
    #[error("{0}")]
    Control(#[from] flotilla_client::Error),
    #[error("The agent or the device's config file could not be handed over: {0}.")]
    HandOver(#[from] io::Error),
    /// The desktop can't ask for a password; the config file is left for the command.
    #[error("Nothing on this desktop can ask for your permission. Paste this into a terminal: {0}")]
    NoPkexec(String),
    #[error("Nothing was installed, because nobody agreed to it.")]
    Declined,
    #[error("The service could not be installed: {0}")]
    Failed(String),
}

impl From<InstallError> for ServiceOutcome {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::NoPkexec(command) => Self::NotInstalled {
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

/// Whether the service can be installed on this system.
pub(crate) const OFFERED: bool = cfg!(target_os = "linux");

/// Whether installing the service would put this computer on the mesh.
pub(crate) fn is_useful(device: &Device) -> bool {
    OFFERED && device.this_computer && device.lacks_mesh_right()
}

/// Installs the service as this computer's device.
pub(crate) async fn install(data_dir: &Path, agents_dir: Option<&Path>) -> Result<(), InstallError> {
    let agent = agent(agents_dir).ok_or(InstallError::NoAgent)?;
    let client = Client::from_data_dir(data_dir)?;
    let devices = client.send(&ListDevices).await?.items;
    let own = devices.into_iter().find(|device| device.this_computer);
    let rotate = RotateDevice {
        device: own.ok_or(InstallError::NoDevice)?.id.to_string(),
        lifetime: TokenLifetime::default(),
    };
    let config = client.send(&rotate).await?.config.ok_or(InstallError::NoDevice)?;
    let question = ConsentRequest::of(fs::read(&agent)?);
    let output = match question.ask(Command::new(PKEXEC), &config).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = data_dir.join("service.device.toml");
            // It holds a token.
            flotilla_disk::replace_for_readers(&file, config.as_bytes(), flotilla_disk::PRIVATE)?;
            return Err(InstallError::NoPkexec(terminal_command(&agent, &file)));
        }
        output => output?,
    };
    match output.status.code() {
        Some(0) => Ok(()),
        Some(code) if REFUSED.contains(&code) => Err(InstallError::Declined),
        _ => Err(InstallError::Failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// The consent that the person is asked for.
struct ConsentRequest {
    agent: Vec<u8>,
    /// Lowercase hexadecimal.
    hash: String,
    /// The folder of root's into which the agent is copied and run; it is installed there in the end.
    place: PathBuf,
}

impl ConsentRequest {
    fn of(agent: Vec<u8>) -> Self {
        let hash = Sha256::digest(&agent)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let place = Path::new(PROGRAM).parent().unwrap_or(Path::new("/")).to_owned();
        Self { agent, hash, place }
    }

    /// Asks for consent by `by`, the program that runs others as root, and hands over config and agent.
    async fn ask(&self, mut by: Command, config: &str) -> io::Result<Output> {
        by.args(["/bin/sh", "-c", ROOT_SCRIPT, "flotilla-install"])
            .arg(&self.place)
            .arg(&self.hash)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut root = by.spawn()?;
        let input = root.stdin.take();
        let hand_over = async move {
            let Some(mut input) = input else { return };
            let config = format!("{}\n", STANDARD.encode(config));
            // A program that was refused reads nothing; its exit code says so.
            for part in [config.as_bytes(), &self.agent] {
                if input.write_all(part).await.is_err() {
                    return;
                }
            }
        };
        let ((), output) = tokio::join!(hand_over, root.wait_with_output());
        output
    }
}

/// The agent's program: beside this one, or among the agents that devices download.
fn agent(agents_dir: Option<&Path>) -> Option<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join("flotilla-agent")));
    let served = agents_dir.map(|dir| dir.join(format!("{}-linux/flotilla-agent", env::consts::ARCH)));
    beside.into_iter().chain(served).find(|path| path.is_file())
}

/// The command that does the same in a terminal.
fn terminal_command(agent: &Path, config: &Path) -> String {
    let quoted = |path: &Path| {
        let word = path.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    format!("sudo {} install --config {}", quoted(agent), quoted(config))
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
        assert!(is_useful(&device(true, lacking.clone())));
        assert!(!is_useful(&device(false, lacking)));
        assert!(!is_useful(&device(true, overlap)));
        assert!(!is_useful(&device(true, serde_json::json!([]))));
    }

    #[test]
    fn the_command_for_a_terminal_survives_any_path() {
        assert_eq!(
            terminal_command(Path::new("/opt/agent"), Path::new("/home/o'neill/my data/x.toml")),
            r"sudo /opt/agent install --config '/home/o'\''neill/my data/x.toml'"
        );
    }

    /// An agent that writes down its arguments and its input.
    fn agent(record: &Path) -> Vec<u8> {
        format!(
            "#!/bin/sh\n{{ echo \"$0\" \"$@\"; cat; }} > '{}'\n",
            record.display()
        )
        .into_bytes()
    }

    /// Gives consent at once and runs the program as this user.
    fn consent() -> Command {
        Command::new("env")
    }

    #[tokio::test]
    async fn root_runs_its_own_copy_of_the_agent_that_was_asked_about_and_gets_the_config_by_its_input() {
        let dir = tempfile::tempdir().unwrap();
        let (place, record) = (dir.path().join("bin"), dir.path().join("told"));
        let question = ConsentRequest {
            place: place.clone(),
            ..ConsentRequest::of(agent(&record))
        };
        let config = "token = \"s3cret\"\n";
        let output = question.ask(consent(), config).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        let record = fs::read_to_string(record).unwrap();
        let (call, input) = record.split_once('\n').unwrap();
        assert!(call.starts_with(place.to_str().unwrap()), "{call}");
        assert!(
            call.ends_with("/flotilla-agent install --config -") && !call.contains("s3cret"),
            "{call}"
        );
        assert_eq!(input, config);
        assert_eq!(fs::read_dir(place).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn an_agent_that_was_swapped_after_the_question_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let (place, record) = (dir.path().join("bin"), dir.path().join("told"));
        let original = ConsentRequest::of(b"the agent that the person was asked about".to_vec());
        let question = ConsentRequest {
            place: place.clone(),
            agent: agent(&record),
            ..original
        };
        let output = question.ask(consent(), "x").await.unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && message.contains("not the one"),
            "{message}"
        );
        assert!(!record.exists());
        assert_eq!(fs::read_dir(place).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn a_program_that_was_refused_is_given_nothing_and_fails_alone() {
        let question = ConsentRequest::of(vec![0; 1 << 20]);
        let output = question.ask(Command::new("false"), "x").await.unwrap();
        assert_eq!(output.status.code(), Some(1));
    }
}
