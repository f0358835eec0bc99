//! Explains how `ssh` ended, as a [`Problem`]: what happened, why, and what to do next.
//!
//! `ssh` ends with 255 when it failed itself, else with the status of what it ran. Its messages are in English whatever
//! the system's language is. The host writes on the same stream (banners, errors of what runs there), so:
//! - the host's words are only shown in quotes, never as a sentence or a command of Flotilla's;
//! - commands that a person is told to run are made here, with no part from the host;
//! - a wrong host key is believed only if `ssh` ended because of it, which no host can pretend.

use super::{exit::SshExit, host::Host};
use flotilla_protocol::{Code, Problem, text::shown};

/// Why a call to a host failed.
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
    /// The host does not forward a port for the tunnel.
    NoForwarding,
    SshFailed,
    SudoPassword,
    NoSudo,
    NoBash,
    /// The command on the host failed.
    Remote,
}

/// A part of a message of `ssh`, and its cause. The first that is found counts.
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

/// The same for messages of the programs that start the installer.
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

/// The last line of `ssh` when it refuses the host's key.
const KEY_REFUSED: &str = "Host key verification failed.";

/// The beginning of what `ssh -v` says when a command was started on the host; -1 follows when the command did not end.
const RAN: &str = "debug1: Exit status ";

/// Authentication methods of `ssh` (RFC 4252, RFC 4256, RFC 4462).
const METHODS: [&str; 6] = [
    "publickey",
    "password",
    "keyboard-interactive",
    "hostbased",
    "gssapi-with-mic",
    "gssapi-keyex",
];

/// Characters of the host's words in one sentence.
const QUOTED_CHARS: usize = 300;

pub(super) fn cause(exit: &SshExit) -> Cause {
    let ran = exit.said.iter().rev().find_map(|line| line.strip_prefix(RAN));
    let is_of_ssh = matches!(exit.status, Some(255) | None) && ran.is_none_or(|status| status == "-1");
    let (signs, otherwise) = if is_of_ssh {
        (OF_SSH, Cause::SshFailed)
    } else {
        (OF_STARTERS, Cause::Remote)
    };
    let is_said = |sign: &str| exit.said.iter().any(|line| line.contains(sign));
    // A host that accepted the connection can print what looks like a refused key, but then `ssh` does not end so.
    let key_is_refused = ran.is_none() && exit.last_said() == Some(KEY_REFUSED);
    let found = signs.iter().find(|(sign, cause)| {
        let is_of_key = matches!(cause, Cause::KeyChanged | Cause::KeyUnknown | Cause::KeyRevoked);
        is_said(sign) && (key_is_refused || !is_of_key)
    });
    found.map_or(otherwise, |(_, cause)| *cause)
}

/// The problem with which a call to `host` ended.
pub(super) fn explain(host: &Host, exit: &SshExit) -> Problem {
    let cause = cause(exit);
    match cause {
        Cause::KeyUnknown | Cause::KeyChanged | Cause::KeyRevoked => of_host_key(host, cause, exit),
        Cause::Denied => denied(host, exit),
        Cause::SudoPassword | Cause::NoSudo => of_sudo(host, cause),
        Cause::NoBash | Cause::Remote => of_installer(host, cause, exit),
        _ => of_way(host, cause, exit),
    }
}

fn of_host_key(host: &Host, cause: Cause, exit: &SshExit) -> Problem {
    let name = host.name();
    let shown = exit
        .fingerprint()
        .map_or_else(String::new, |key| format!(" It shows {key}."));
    let try_by_hand = host.by_hand("ssh");
    match cause {
        Cause::KeyUnknown => Code::HostKeyUnknown.because(format!(
                "This computer does not know the host key of {name} yet, so nothing was sent.{shown} Compare that with what \
                 `ssh-keygen -lf {}` says on {name}. If it is the same, run `{try_by_hand}` once in a terminal, answer yes, \
                 and push again.",
                exit.key_file()
            )),
        Cause::KeyRevoked => Code::HostKeyChanged.because(format!(
                "The host key of {name} is marked as revoked on this computer, so nothing was sent.{shown} Find out whom you are \
                 speaking with before you do anything else."
            )),
        _ => Code::HostKeyChanged.because(format!(
                "The host key of {name} is not the one that this computer knows, so nothing was sent.{shown} Somebody may be in \
                 between, or {name} was set up anew. Only if you know that it was: forget the old key with `{}`, run \
                 `{try_by_hand}` once in a terminal, compare the new key, and push again.",
                forget(host, exit)
            )),
    }
}

fn denied(host: &Host, exit: &SshExit) -> Problem {
    let methods = exit
        .said
        .iter()
        .rev()
        .find_map(|line| line.split_once("Permission denied (")?.1.split_once(')'));
    let named = methods.into_iter().flat_map(|(methods, _)| methods.split(','));
    let methods: Vec<_> = METHODS
        .into_iter()
        .filter(|method| named.clone().any(|name| name == *method))
        .collect();
    let methods = if methods.is_empty() {
        String::new()
    } else {
        format!(" (it takes: {})", methods.join(","))
    };
    Code::SshDenied.because(format!(
            "{} takes none of this computer's SSH keys for that user{methods}, and Flotilla never asks for a password. Run `{}` \
             once in a terminal; a key that has a passphrase is opened by `ssh-add`. Then push again.",
            host.name(),
            host.by_hand("ssh-copy-id")
        ))
}

fn of_sudo(host: &Host, cause: Cause) -> Problem {
    let name = host.name();
    let what = match cause {
        Cause::NoSudo => format!("{name} has no sudo, and that user is not root."),
        _ => format!(
            "On {name}, that user may not become root without a password, and Flotilla never asks for one."
        ),
    };
    Code::SudoDenied.because(format!(
            "{what} Push to root@{name}, allow the user to use sudo without a password, or paste the install command there."
        ))
}

fn of_installer(host: &Host, cause: Cause, exit: &SshExit) -> Problem {
    let name = host.name();
    let message = match (cause, exit.last_word()) {
        (Cause::NoBash, _) => {
            format!(
                "{name} has no bash, which the installer is written for. Install bash there and push again."
            )
        }
        (_, Some(line)) => format!(
            "The agent was not installed on {name}. Its own last words: {}",
            quoted(&line)
        ),
        (_, None) => format!(
            "The agent was not installed on {name}. The installer ended without a word; push again, or paste the install \
             command there."
        ),
    };
    Code::InstallFailed.because(message)
}

/// The problem of a connection that did not get as far as the host's login.
fn of_way(host: &Host, cause: Cause, exit: &SshExit) -> Problem {
    let name = host.name();
    let said = exit.last_said().map_or_else(String::new, |line| {
        format!(" The last words were: {}", quoted(line))
    });
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
    code.because(message)
}

/// The problem of a host that does not forward a port for the tunnel.
pub(super) fn no_forwarding(host: &Host) -> Problem {
    of_way(host, Cause::NoForwarding, &SshExit::default())
}

pub(super) fn no_ssh() -> Problem {
    Code::Unavailable.because("There is no ssh program on this computer. Install OpenSSH's client, or paste the install command on the device.")
}

pub(super) fn too_slow(host: &Host, minutes: u64) -> Problem {
    Code::SshUnreachable.because(format!(
            "{} was not done within {minutes} min, so the connection was ended. See what it is waiting for, and push again.",
            host.name()
        ))
}

/// Quotes the host's words for a sentence. Characters that begin or end a quotation or a command are replaced.
fn quoted(words: &str) -> String {
    let words = words.replace(['"', '`', '\u{201c}', '\u{201d}'], "'");
    format!("\"{}\"", shown(&words, QUOTED_CHARS))
}

/// Marks a line of the host among Flotilla's own lines.
pub(super) fn quoted_line(line: &str) -> String {
    format!("> {line}")
}

/// The command that removes the known key. `ssh` keeps it under the name that an alias stands for, and says that name
/// last; a jump host's comes earlier.
fn forget(host: &Host, exit: &SshExit) -> String {
    let mut lines = exit.said.iter().rev();
    let met = lines.find_map(|line| {
        let (address, _) = line
            .strip_prefix("debug1: Authenticating to ")?
            .split_once(" as ")?;
        let (name, port) = address.rsplit_once(':')?;
        let text = if name.contains(':') {
            format!("[{name}]:{port}")
        } else {
            address.to_owned()
        };
        text.parse::<Host>().ok()
    });
    format!("ssh-keygen -R \"{}\"", met.as_ref().unwrap_or(host).known_as())
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
