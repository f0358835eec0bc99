//! The methods to install the agent on a device.

use crate::copy::add_device as copy;
use flotilla_protocol::{api::DeviceAdded, device::NetworkMode};

/// A method, which is a tab of the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Install,
    Docker,
    Compose,
    Config,
    Ssh,
}

impl Method {
    pub(super) const ALL: [Self; 5] = [
        Self::Install,
        Self::Docker,
        Self::Compose,
        Self::Config,
        Self::Ssh,
    ];

    /// The label of the method, which is also the value of its tab.
    #[must_use]
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Install => copy::INSTALL_COMMAND,
            Self::Docker => copy::DOCKER_COMMAND,
            Self::Compose => copy::COMPOSE_FILE,
            Self::Config => copy::CONFIG_FILE,
            Self::Ssh => copy::OVER_SSH,
        }
    }

    /// The name of its text after "Copy".
    #[must_use]
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Install => "install command",
            Self::Docker => "Docker command",
            Self::Compose => "Compose file",
            Self::Config => "config file",
            Self::Ssh => "SSH command",
        }
    }

    #[must_use]
    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.label() == label)
    }

    /// The text to copy, if the controller made one.
    #[must_use]
    pub(super) fn text(self, added: &DeviceAdded) -> Option<&str> {
        let text = match self {
            Self::Install => &added.install,
            Self::Docker => &added.docker_run,
            Self::Compose => &added.compose,
            Self::Config => &added.config,
            Self::Ssh => &None,
        };
        text.as_deref()
    }

    /// Why the method is not possible for a device with this network mode.
    #[must_use]
    pub(super) fn reason(self, added: Option<&DeviceAdded>, mode: NetworkMode) -> Option<String> {
        let reasons = added.map(|added| &added.unavailable);
        let reason = match self {
            Self::Install => &reasons?.install,
            Self::Docker => &reasons?.docker_run,
            Self::Compose => &reasons?.compose,
            Self::Config => &reasons?.config,
            Self::Ssh => return (mode != NetworkMode::Host).then(|| copy::SSH_ONLY_HOST.to_owned()),
        };
        reason
            .clone()
            .filter(|_| added.is_some_and(|added| self.text(added).is_none()))
    }

    /// The preferred method for a network mode.
    #[must_use]
    pub(super) fn fitting(mode: NetworkMode) -> Self {
        match mode {
            NetworkMode::Host | NetworkMode::Unknown => Self::Install,
            NetworkMode::Bridge => Self::Docker,
            NetworkMode::Pause => Self::Compose,
        }
    }

    /// The preferred method among those with a text.
    #[must_use]
    pub(super) fn best(added: &DeviceAdded) -> Self {
        let preferred = Self::fitting(added.device.mode);
        let mut candidates = [preferred].into_iter().chain(Self::ALL);
        candidates
            .find(|method| method.text(added).is_some())
            .unwrap_or(preferred)
    }
}

/// The part of the install command that runs the script.
const RUN: &str = "| sudo bash";

/// The install command with the installer's options.
#[must_use]
pub(super) fn with_options(line: &str, as_root: bool, skip_docker: bool) -> String {
    let flags: String = [(as_root, " --as-root"), (skip_docker, " --skip-docker")]
        .iter()
        .filter(|flag| flag.0)
        .map(|flag| flag.1)
        .collect();
    if flags.is_empty() {
        line.to_owned()
    } else {
        format!("{line} -s --{flags}")
    }
}

/// The install command with the script shown instead of run.
#[must_use]
pub(super) fn to_inspect(line: &str) -> String {
    line.rfind(RUN)
        .map_or_else(|| line.to_owned(), |at| format!("{}| less", &line[..at]))
}

/// The secret half of the token, read from the config file, which holds the token on a line of its own.
#[must_use]
pub(super) fn secret(added: &DeviceAdded) -> Option<String> {
    let config = added.config.as_deref()?;
    let token = config
        .lines()
        .find_map(|line| line.strip_prefix("token = \"")?.strip_suffix('"'))?;
    let (_, secret) = token.rsplit_once('.')?;
    Some(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "curl -fsSk https://192.0.2.7:7443/install/agent.sh | sudo bash";

    fn added(mode: &str) -> DeviceAdded {
        let json = format!(
            r#"{{"device":{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"nas","mesh_ip":"100.64.0.7","mode":"{mode}","relay":"auto","tags":[]}},
            "token_expires":"2026-01-01T00:00:00Z","install":null,"docker_run":"docker","compose":null,
            "config":"version = 1\ntoken = \"abc.s3cr3t\"\n","unavailable":{{"install":"only Host","compose":"not yet"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn options_follow_the_line_and_inspecting_runs_nothing() {
        assert_eq!(with_options(LINE, false, false), LINE);
        assert_eq!(
            with_options(LINE, true, true),
            format!("{LINE} -s -- --as-root --skip-docker")
        );
        let inspect = to_inspect(LINE);
        assert!(
            inspect.ends_with("agent.sh | less") && !inspect.contains("bash"),
            "{inspect}"
        );
    }

    #[test]
    fn the_best_method_is_one_that_there_is() {
        assert_eq!(Method::best(&added("bridge")), Method::Docker);
        assert_eq!(Method::best(&added("host")), Method::Docker);
        let bridge = added("bridge");
        let reason = |method: Method| method.reason(Some(&bridge), NetworkMode::Bridge);
        assert_eq!(reason(Method::Install).as_deref(), Some("only Host"));
        assert_eq!(reason(Method::Docker), None);
    }

    #[test]
    fn only_a_device_with_host_networking_is_reached_over_ssh() {
        assert!(Method::Ssh.reason(None, NetworkMode::Pause).is_some());
        assert_eq!(Method::Ssh.reason(None, NetworkMode::Host), None);
        assert_eq!(Method::Install.reason(None, NetworkMode::Bridge), None);
    }

    #[test]
    fn the_secret_is_the_half_after_the_dot() {
        assert_eq!(secret(&added("host")).as_deref(), Some("s3cr3t"));
    }
}
