//! The installer on a booted Debian on which it cannot install: it says why, and changes nothing.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::device::DeviceStatus;
use flotilla_tests::artifacts;
use flotilla_tests::flotilla::{ControlSetup, install_line, with_flags};
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::program::Outcome;
use flotilla_tests::systemd::System;

/// Format of `find` with all attributes of a file, so that a file shows that was written again with the same content.
const EVERYTHING: &str = "%p %y %m %U:%G %s %T@ %l\n";

/// The part of an install line that downloads the script and prints it.
fn fetching(line: &str) -> &str {
    line.trim_end_matches("| sudo bash")
}

fn is_unchanged(system: &System, before: &BTreeSet<String>) -> Result<()> {
    let after = system.files(EVERYTHING)?;
    let changed: Vec<_> = before.symmetric_difference(&after).collect();
    ensure!(changed.is_empty(), "it changed {changed:#?}");
    Ok(())
}

/// A system or flags with which the installer ends without installing, and how it ends.
struct Obstacle {
    name: &'static str,
    /// A program that is replaced by this script.
    stand_in: Option<(&'static str, &'static str)>,
    flags: &'static str,
    code: i32,
    says: &'static [&'static str],
}

/// A curl that truncates a file which it has downloaded, and fails.
const DOWNLOAD_CUT: &str = r#"/usr/bin/curl "$@" || exit
case " $* " in *" -o "*) ;; *) exit 0;; esac
while [ "$1" != -o ]; do shift; done
truncate -s 100000 "$2"; exit 18"#;
/// A curl that changes a file which it has downloaded, and succeeds.
const DOWNLOAD_CHANGED: &str = r#"/usr/bin/curl "$@" || exit
case " $* " in *" -o "*) ;; *) exit 0;; esac
while [ "$1" != -o ]; do shift; done
printf x >>"$2""#;
/// A curl from before `--pinnedpubkey`.
const CURL_BEFORE_PINS: &str = r#"case " $* " in *" --pinnedpubkey "*) ;; *) exec /usr/bin/curl "$@";; esac
echo "curl: option --pinnedpubkey: is unknown" >&2; exit 2"#;
// Stand-ins for `sudo`. The mount has to be made inside the new namespace, so a shell makes it. The texts are constant;
// the command of sudo follows as `"$@"`.
const WITHOUT_SYSTEMD: &str =
    r#"exec unshare --mount sh -c 'mount -t tmpfs none /run/systemd && exec "$@"' sh "$@""#;
const READ_ONLY: &str = r#"exec unshare --mount sh -c 'mount --bind /usr/local /usr/local && mount -o remount,bind,ro /usr/local && exec "$@"' sh "$@""#;
const NOBODY: &str = r#"exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@""#;
const RISC: &str = r#"[ "$1" = -m ] && echo riscv64 || exec /usr/bin/uname "$@""#;
const ARM: &str = r#"[ "$1" = -m ] && echo aarch64 || exec /usr/bin/uname "$@""#;

const OBSTACLES: [Obstacle; 12] = [
    Obstacle {
        name: "a dry run, without an engine",
        stand_in: None,
        flags: "--dry-run",
        code: 0,
        says: &[
            "would install Docker",
            "would create the user flotilla",
            "would download the agent",
            "would write /etc/flotilla/device.toml",
            "would install and start the service, as flotilla",
        ],
    },
    Obstacle {
        name: "help",
        stand_in: None,
        flags: "--help",
        code: 0,
        says: &["--as-root", "--skip-docker", "--dry-run", "--uninstall"],
    },
    Obstacle {
        name: "a flag that does not exist",
        stand_in: None,
        flags: "--frobnicate",
        code: 2,
        says: &["there is no option --frobnicate", "--skip-docker"],
    },
    Obstacle {
        name: "nothing to uninstall",
        stand_in: None,
        flags: "--uninstall",
        code: 0,
        says: &["Containers and Docker are untouched"],
    },
    Obstacle {
        name: "not root",
        stand_in: Some(("sudo", NOBODY)),
        flags: "",
        code: 1,
        says: &["must run as root", "| sudo bash"],
    },
    Obstacle {
        name: "a read-only system",
        stand_in: Some(("sudo", READ_ONLY)),
        flags: "",
        code: 1,
        says: &[
            "This system is read-only",
            "/usr/local/bin",
            "docker run -d --name flotilla-agent",
        ],
    },
    Obstacle {
        name: "a processor for which there are no agents",
        stand_in: Some(("uname", RISC)),
        flags: "",
        code: 1,
        says: &["no agent for this device's processor (riscv64)", "aarch64"],
    },
    Obstacle {
        name: "a processor for which this control has no agent",
        stand_in: Some(("uname", ARM)),
        flags: "",
        code: 1,
        says: &["This controller has no agent", "(aarch64)", "Update Flotilla"],
    },
    Obstacle {
        name: "no systemd",
        stand_in: Some(("sudo", WITHOUT_SYSTEMD)),
        flags: "",
        code: 1,
        says: &["does not run systemd", "docker run -d --name flotilla-agent"],
    },
    Obstacle {
        // No script is downloaded: the message is curl's own, and the shell behind it only fails.
        name: "a curl that knows no pins",
        stand_in: Some(("curl", CURL_BEFORE_PINS)),
        flags: "",
        code: 1,
        says: &["--pinnedpubkey: is unknown"],
    },
    Obstacle {
        name: "a download of the agent that is cut short",
        stand_in: Some(("curl", DOWNLOAD_CUT)),
        flags: "--as-root --skip-docker",
        code: 1,
        says: &["could not be downloaded", "run it again"],
    },
    Obstacle {
        name: "another agent than the one that was announced",
        stand_in: Some(("curl", DOWNLOAD_CHANGED)),
        flags: "--as-root --skip-docker",
        code: 1,
        says: &["not the one that was announced", "Nothing was installed"],
    },
];

#[test]
fn an_installer_that_cannot_go_on_says_why_and_changes_nothing() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let system = System::boot(lab.machine(1))?;
        let control = ControlSetup {
            agents: Some(agents_for_this_processor(lab)?),
            ..ControlSetup::new(lab)?
        };
        let control = control.start()?;
        let added = control.add("nas").await?;
        let line = install_line(&added)?;
        let before = system.files(EVERYTHING)?;
        for obstacle in &OBSTACLES {
            let meet = || {
                if let Some((program, body)) = obstacle.stand_in {
                    system.stand_in(program, body)?;
                }
                let outcome = system.attempt(&with_flags(line, obstacle.flags))?;
                system.forget_stand_ins()?;
                outcome.ended_with(obstacle.code, obstacle.says)?;
                is_unchanged(&system, &before)
            };
            meet().context(obstacle.name)?;
        }
        a_script_cut_short_runs_nothing(&system, line, &before)?;
        a_script_that_came_otherwise_needs_a_curl_with_pins(&system, line)?;
        ensure!(
            control.device("nas").await?.status == DeviceStatus::Pending,
            "something was used up"
        );
        Ok(())
    })
}

/// A directory for `--agents-dir` with an agent for this processor only.
fn agents_for_this_processor(lab: &Lab) -> Result<PathBuf> {
    let all = artifacts::lookup_agents().context("no agents were built")?;
    let directory = lab.directory("agents")?;
    let own = format!("{}-linux", std::env::consts::ARCH);
    symlink(all.join(&own), directory.join(&own))?;
    Ok(directory)
}

fn a_script_cut_short_runs_nothing(system: &System, line: &str, before: &BTreeSet<String>) -> Result<()> {
    let length = system.paste(fetching(line))?.len();
    for eighth in 0..8 {
        let cut = length * eighth / 8;
        system.stand_in(
            "curl",
            &format!("/usr/bin/curl \"$@\" | head --bytes={cut}; exit 18"),
        )?;
        let Outcome { said, .. } = system.attempt(line)?;
        let begun = said.lines().any(|line| line.starts_with("flotilla: "));
        ensure!(!begun, "cut after {cut} of {length} bytes it ran:\n{said}");
        is_unchanged(system, before).with_context(|| format!("cut after {cut} of {length} bytes"))?;
    }
    system.forget_stand_ins()
}

/// A script that was copied to the device without curl still has to refuse an old curl, which it would download the
/// agent with.
fn a_script_that_came_otherwise_needs_a_curl_with_pins(system: &System, line: &str) -> Result<()> {
    system.paste(&format!("{} >/run/agent.sh", fetching(line)))?;
    system.stand_in("curl", CURL_BEFORE_PINS)?;
    let outcome = system.attempt("bash /run/agent.sh")?;
    system.forget_stand_ins()?;
    outcome.ended_with(1, &["This curl is too old", "7.44", "in Docker instead"])
}
