//! Whether this computer's own firewall lets devices in.
//!
//! A connection from this computer to itself does not pass the firewall, so its rules are read. Only rules that
//! certainly keep every device out count as shut. When this program may not read the rules, the answer says only that
//! there is a firewall.

mod ruleset;

use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

/// How long reading may take: it takes milliseconds, and seconds for many thousand rules.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of rules that are read. A rule has about 500, and a firewall that blocks whole countries has ten thousand
/// rules.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// Where `nft` is; these folders are often missing in the path of a person's session.
const PROGRAMS: [&str; 3] = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"];

/// Whether the firewall lets devices in at a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Firewall {
    /// No rule that was read keeps devices out.
    Open,
    /// No device gets in; the sentence says why, and what to do.
    Shut(String),
    /// There is a firewall whose rules can't be read; the sentence says how to find out.
    Unknown(String),
}

/// The program by which the owner changes the firewall's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirewallKind {
    Ufw,
    Firewalld,
    /// None: rules of nftables or iptables written by hand.
    Rules,
}

impl FirewallKind {
    fn find() -> Self {
        let ufw = std::fs::read_to_string("/etc/ufw/ufw.conf").unwrap_or_default();
        if ufw
            .lines()
            .any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"))
        {
            Self::Ufw
        } else if Path::new("/run/firewalld.pid").exists() {
            Self::Firewalld
        } else {
            Self::Rules
        }
    }

    fn opens(self, port: u16) -> String {
        match self {
            Self::Ufw => format!("Run: sudo ufw allow {port}"),
            Self::Firewalld => format!(
                "Run: sudo firewall-cmd --permanent --add-port={port}/tcp --add-port={port}/udp && sudo firewall-cmd --reload"
            ),
            Self::Rules => format!("Let TCP and UDP port {port} in."),
        }
    }

    /// The answer when this firewall's rules can't be read.
    fn unknown(self, port: u16) -> Firewall {
        let (name, command) = match self {
            Self::Ufw => ("ufw", "sudo ufw status"),
            Self::Firewalld => ("firewalld", "sudo firewall-cmd --list-all"),
            Self::Rules => return Firewall::Open,
        };
        Firewall::Unknown(format!(
            "This computer's firewall ({name}) is on, and whether it lets devices in at port {port} is not known. Look: {command}. {}",
            self.opens(port)
        ))
    }
}

/// Checks what the firewall does to new connections from other machines at a TCP port.
pub(crate) async fn check(port: u16) -> Firewall {
    judge(rules().await.as_ref(), FirewallKind::find(), port)
}

fn judge(rules: Option<&Value>, kind: FirewallKind, port: u16) -> Firewall {
    match rules.map(|rules| ruleset::blocking_chain(rules, port)) {
        Some(Some(chain)) => Firewall::Shut(format!(
            "This computer's firewall lets no device in at TCP port {port} (chain {chain}). {}",
            kind.opens(port)
        )),
        Some(None) => Firewall::Open,
        None => kind.unknown(port),
    }
}

/// All rules, which only an administrator may read.
async fn rules() -> Option<Value> {
    let program = PROGRAMS.into_iter().find(|path| Path::new(path).exists())?;
    let mut nft = Command::new(program);
    nft.args(["--json", "list", "ruleset"]);
    let text = timeout(READ_TIMEOUT, printed(nft, MOST_BYTES)).await.ok()??;
    serde_json::from_slice(&text).ok()
}

/// The output of a program that succeeds; `None` when it fails, or prints more than `most` bytes.
async fn printed(mut program: Command, most: u64) -> Option<Vec<u8>> {
    program.stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = program.stdout(Stdio::piped()).kill_on_drop(true).spawn().ok()?;
    let mut text = Vec::new();
    let mut output = child.stdout.take()?.take(most);
    output.read_to_end(&mut text).await.ok()?;
    if output.limit() == 0 {
        return None;
    }
    child.wait().await.ok()?.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dropping() -> Value {
        json!({"nftables": [{"chain": {"family": "inet", "table": "t", "name": "in", "hook": "input", "policy": "drop"}}]})
    }

    #[test]
    fn what_is_shut_is_said_with_the_way_to_open_it() {
        let Firewall::Shut(reason) = judge(Some(&dropping()), FirewallKind::Ufw, 7443) else {
            panic!("it lets no device in");
        };
        assert_eq!(
            reason,
            "This computer's firewall lets no device in at TCP port 7443 (chain inet t in). Run: sudo ufw allow 7443"
        );
        assert_eq!(
            judge(Some(&json!({"nftables": []})), FirewallKind::Ufw, 7443),
            Firewall::Open
        );
    }

    #[tokio::test]
    async fn a_program_that_prints_without_end_is_not_waited_for() {
        let mut endless = Command::new("cat");
        endless.arg("/dev/zero");
        assert_eq!(printed(endless, 1 << 20).await, None);
        let mut short = Command::new("echo");
        short.arg("{}");
        assert_eq!(printed(short, 1 << 20).await.as_deref(), Some(&b"{}\n"[..]));
        assert_eq!(printed(Command::new("false"), 1 << 20).await, None);
    }

    #[test]
    fn a_firewall_that_does_not_tell_is_not_taken_for_an_open_one() {
        for (kind, word) in [
            (FirewallKind::Ufw, "sudo ufw status"),
            (FirewallKind::Firewalld, "--list-all"),
        ] {
            let Firewall::Unknown(doubt) = judge(None, kind, 7443) else {
                panic!("{kind:?}");
            };
            assert!(doubt.contains(word) && doubt.contains("7443"), "{doubt}");
        }
        assert_eq!(judge(None, FirewallKind::Rules, 7443), Firewall::Open);
    }
}
