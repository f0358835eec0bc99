//! How a call of `ssh` ended, and what can be read from its output.

/// How a call ended, and its last output.
#[derive(Debug, Default)]
pub(super) struct SshExit {
    /// Absent when a signal ended it.
    pub(super) status: Option<i32>,
    pub(super) said: Vec<String>,
    pub(super) printed: Vec<String>,
}

impl SshExit {
    /// The last line that is no message of `ssh` about its own steps.
    pub(super) fn last_said(&self) -> Option<&str> {
        let mut lines = self.said.iter().rev();
        lines.find(|line| !is_detail(line)).map(String::as_str)
    }

    /// The host key that `ssh` saw last: its kind and its fingerprint.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        let mut lines = self.said.iter().rev();
        let key = lines.find_map(|line| line.strip_prefix("debug1: Server host key: "))?;
        let (kind, digest) = key.split_once(' ')?;
        let is_word = |text: &str, more: &[u8]| {
            text.bytes()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
        };
        let is_key = is_word(kind, b"-@.") && digest.starts_with("SHA256:") && is_word(digest, b":+/=");
        is_key.then_some(key)
    }

    /// The file on the host with the public half of the key that it showed.
    pub(super) fn key_file(&self) -> &'static str {
        match self.fingerprint().and_then(|key| key.split_once(' ')) {
            Some((kind, _)) if kind.starts_with("ecdsa") => "/etc/ssh/ssh_host_ecdsa_key.pub",
            Some((kind, _)) if kind.contains("rsa") => "/etc/ssh/ssh_host_rsa_key.pub",
            _ => "/etc/ssh/ssh_host_ed25519_key.pub",
        }
    }

    /// The last line of the installer itself, else the last line that was printed, else the last line of `ssh`.
    pub(super) fn last_word(&self) -> Option<String> {
        let ours = |line: &&String| line.starts_with("flotilla: ");
        let last = self.printed.iter().rev().find(ours);
        let last = last.or(self.printed.last());
        let last = last.or_else(|| self.said.iter().rev().find(|line| !is_detail(line)))?;
        Some(last.strip_prefix("flotilla: ").unwrap_or(last).to_owned())
    }
}

/// Whether a line is one of `ssh`'s messages about its own steps.
pub(super) fn is_detail(line: &str) -> bool {
    const DETAILS: [&str; 6] = [
        "debug1: ",
        "OpenSSH_",
        "Authenticated to ",
        "Transferred: sent ",
        "Bytes per second: ",
        // Printed by the connection to a jump host when the one through it has ended.
        "Killed by signal ",
    ];
    DETAILS.iter().any(|detail| line.starts_with(detail))
}
