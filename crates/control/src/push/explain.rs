//! What `ssh` said at its end, as a [`Problem`]: what happened, why, and what to do next.
//!
//! `ssh` ends with 255 when it failed itself, else with the status of what it ran. Its words are in English whatever
//! the system's language is.

use super::{host::Host, ssh::Ended};
use flotilla_protocol::{Code, Problem};

/// Why a call did not do what it was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    KeyChanged,
    KeyUnknown,
    KeyRevoked,
    Denied,
    NoSuchHost,
    Refused,
    NoAnswer,
    Closed,
    Configuration,
    /// The far side does not listen for the tunnel.
    NoForwarding,
    SshFailed,
    SudoPassword,
    NoSudo,
    NoBash,
    /// What was run there failed.
    Remote,
}

/// What `ssh` writes, and what that means. The first that is found counts.
const OF_SSH: &[(&str, Cause)] = &[
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Cause::KeyChanged),
    ("REVOKED HOST KEY", Cause::KeyRevoked),
    ("host key is known for", Cause::KeyUnknown),
    ("Host key verification failed", Cause::KeyUnknown),
    ("Permission denied (", Cause::Denied),
    ("Too many authentication failures", Cause::Denied),
    ("Could not resolve hostname", Cause::NoSuchHost),
    ("Connection refused", Cause::Refused),
    ("timed out", Cause::NoAnswer),
    ("No route to host", Cause::NoAnswer),
    ("Network is unreachable", Cause::NoAnswer),
    ("Bad configuration option", Cause::Configuration),
    ("Bad owner or permissions on", Cause::Configuration),
    ("terminating, ", Cause::Configuration),
    ("Connection closed by", Cause::Closed),
    ("Connection reset by", Cause::Closed),
    ("kex_exchange_identification", Cause::Closed),
    ("not responding", Cause::NoAnswer),
];

/// What the programs write that start the installer.
const OF_STARTERS: &[(&str, Cause)] = &[
    ("password is required", Cause::SudoPassword),
    ("terminal is required", Cause::SudoPassword),
    ("not in the sudoers file", Cause::SudoPassword),
    ("not allowed to execute", Cause::SudoPassword),
    ("may not run sudo", Cause::SudoPassword),
    ("sudo: not found", Cause::NoSudo),
    ("sudo: command not found", Cause::NoSudo),
    ("bash: not found", Cause::NoBash),
    ("bash: command not found", Cause::NoBash),
];

pub(super) fn cause(ended: &Ended) -> Cause {
    let (signs, otherwise) = match ended.status {
        Some(255) | None => (OF_SSH, Cause::SshFailed),
        Some(_) => (OF_STARTERS, Cause::Remote),
    };
    let is_said = |sign: &str| ended.said.iter().any(|line| line.contains(sign));
    let found = signs.iter().find(|(sign, _)| is_said(sign));
    found.map_or(otherwise, |(_, cause)| *cause)
}

/// The problem that a call to `host` ended with.
pub(super) fn explain(host: &Host, ended: &Ended) -> Problem {
    let cause = cause(ended);
    match cause {
        Cause::KeyUnknown | Cause::KeyChanged | Cause::KeyRevoked => of_host_key(host, cause, ended),
        Cause::Denied => denied(host, ended),
        Cause::SudoPassword | Cause::NoSudo => of_sudo(host, cause),
        Cause::NoBash | Cause::Remote => of_installer(host, cause, ended),
        _ => of_way(host, cause, ended),
    }
}

fn of_host_key(host: &Host, cause: Cause, ended: &Ended) -> Problem {
    let name = host.name();
    let shown = fingerprint(ended).map_or_else(String::new, |key| format!(" It shows {key}."));
    let try_by_hand = host.by_hand("ssh");
    match cause {
        Cause::KeyUnknown => Problem::new(
            Code::HostKeyUnknown,
            format!(
                "This computer does not know the host key of {name} yet, so nothing was sent.{shown} Compare that with what \
                 `ssh-keygen -lf {}` says on {name}. If it is the same, run `{try_by_hand}` once in a terminal, answer yes, \
                 and push again.",
                key_file(ended)
            ),
        ),
        Cause::KeyRevoked => Problem::new(
            Code::HostKeyChanged,
            format!(
                "The host key of {name} is marked as revoked on this computer, so nothing was sent.{shown} Find out whom you are \
                 speaking with before you do anything else."
            ),
        ),
        _ => Problem::new(
            Code::HostKeyChanged,
            format!(
                "The host key of {name} is not the one that this computer knows, so nothing was sent.{shown} Somebody may be in \
                 between, or {name} was set up anew. Only if you know that it was: forget the old key with `{}`, run \
                 `{try_by_hand}` once in a terminal, compare the new key, and push again.",
                forget(host, ended)
            ),
        ),
    }
}

fn denied(host: &Host, ended: &Ended) -> Problem {
    let methods = ended
        .said
        .iter()
        .rev()
        .find_map(|line| line.split_once("Permission denied (")?.1.split_once(')'));
    let methods = methods.map_or_else(String::new, |(methods, _)| format!(" (it takes: {methods})"));
    Problem::new(
        Code::SshDenied,
        format!(
            "{} takes none of this computer's SSH keys for that user{methods}, and Flotilla never asks for a password. Run `{}` \
             once in a terminal; a key that has a passphrase is opened by `ssh-add`. Then push again.",
            host.name(),
            host.by_hand("ssh-copy-id")
        ),
    )
}

fn of_sudo(host: &Host, cause: Cause) -> Problem {
    let name = host.name();
    let what = match cause {
        Cause::NoSudo => format!("{name} has no sudo, and that user is not root."),
        _ => format!(
            "On {name}, that user may not become root without a password, and Flotilla never asks for one."
        ),
    };
    Problem::new(
        Code::SudoDenied,
        format!(
            "{what} Push to root@{name}, allow the user to use sudo without a password, or paste the install command there."
        ),
    )
}

fn of_installer(host: &Host, cause: Cause, ended: &Ended) -> Problem {
    let name = host.name();
    let message = match (cause, last_word(ended)) {
        (Cause::NoBash, _) => {
            format!(
                "{name} has no bash, which the installer is written for. Install bash there and push again."
            )
        }
        (_, Some(line)) => format!("The agent was not installed on {name}. The installer said: {line}"),
        (_, None) => format!(
            "The agent was not installed on {name}. The installer ended without a word; push again, or paste the install \
             command there."
        ),
    };
    Problem::new(Code::InstallFailed, message)
}

/// How `ssh` got no further than the way to the host.
fn of_way(host: &Host, cause: Cause, ended: &Ended) -> Problem {
    let name = host.name();
    let said = ended.said.iter().rev().find(|line| !is_detail(line));
    let said = said.map_or_else(String::new, |line| format!(" ssh said: {line}"));
    let (code, message) = match cause {
        Cause::NoSuchHost => (
            Code::SshUnreachable,
            format!(
                "This computer finds no address for {name}. Check the name, or write the address instead."
            ),
        ),
        Cause::Refused => (
            Code::SshUnreachable,
            format!(
                "{name} refuses SSH connections. Start its SSH server (sudo systemctl enable --now ssh), or add the port that it \
                 listens on: {name}:PORT."
            ),
        ),
        Cause::NoAnswer => (
            Code::SshUnreachable,
            format!(
                "{name} does not answer to SSH. Check that it is on, that this computer reaches it, and that no firewall is in \
                 between."
            ),
        ),
        Cause::Closed => (
            Code::SshUnreachable,
            format!("{name} ended the SSH connection at once. Its own log says why.{said}"),
        ),
        Cause::Configuration => (
            Code::Conflict,
            format!("ssh does not accept its configuration on this computer.{said}"),
        ),
        Cause::NoForwarding => (
            Code::SshUnreachable,
            format!(
                "{name} can't dial this controller by itself, and its SSH server allows no tunnel either. Set AllowTcpForwarding \
                 yes in its sshd_config, or add an address of this controller that {name} reaches."
            ),
        ),
        _ => (
            Code::SshUnreachable,
            format!(
                "The SSH connection to {name} ended too early. Try `{}` in a terminal.{said}",
                host.by_hand("ssh")
            ),
        ),
    };
    Problem::new(code, message)
}

/// The far side would not listen for a tunnel.
pub(super) fn no_forwarding(host: &Host) -> Problem {
    of_way(host, Cause::NoForwarding, &Ended::default())
}

pub(super) fn no_ssh() -> Problem {
    Problem::new(
        Code::Unavailable,
        "There is no ssh program on this computer. Install OpenSSH's client, or paste the install command on the device.",
    )
}

pub(super) fn too_slow(host: &Host, minutes: u64) -> Problem {
    Problem::new(
        Code::SshUnreachable,
        format!(
            "{} was not done within {minutes} min, so the connection was ended. See what it is waiting for, and push again.",
            host.name()
        ),
    )
}

/// What `ssh` tells of its own doing.
pub(super) fn is_detail(line: &str) -> bool {
    const DETAILS: [&str; 5] = [
        "debug1: ",
        "OpenSSH_",
        "Authenticated to ",
        "Transferred: sent ",
        "Bytes per second: ",
    ];
    DETAILS.iter().any(|detail| line.starts_with(detail))
}

/// The host key that was shown last: its kind and its fingerprint.
fn fingerprint(ended: &Ended) -> Option<&str> {
    let mut lines = ended.said.iter().rev();
    lines.find_map(|line| line.strip_prefix("debug1: Server host key: "))
}

/// Where the device keeps the public half of the key that it showed.
fn key_file(ended: &Ended) -> &'static str {
    match fingerprint(ended).and_then(|key| key.split_once(' ')) {
        Some((kind, _)) if kind.starts_with("ecdsa") => "/etc/ssh/ssh_host_ecdsa_key.pub",
        Some((kind, _)) if kind.contains("rsa") => "/etc/ssh/ssh_host_rsa_key.pub",
        _ => "/etc/ssh/ssh_host_ed25519_key.pub",
    }
}

/// The command by which the known key is forgotten, as `ssh` words it.
fn forget(host: &Host, ended: &Ended) -> String {
    let said = ended.said.iter().map(|line| line.trim());
    let mut commands = said.filter(|line| line.starts_with("ssh-keygen -f "));
    commands
        .next()
        .map_or_else(|| format!("ssh-keygen -R {}", host.name()), str::to_owned)
}

/// The last thing that the installer said, else what was said about it.
fn last_word(ended: &Ended) -> Option<String> {
    let ours = |line: &&String| line.starts_with("flotilla: ");
    let last = ended.printed.iter().rev().find(ours);
    let last = last.or(ended.printed.last());
    let last = last.or_else(|| ended.said.iter().rev().find(|line| !is_detail(line)))?;
    Some(last.strip_prefix("flotilla: ").unwrap_or(last).to_owned())
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
