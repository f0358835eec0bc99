//! Packages from apt, whose daemons are not started.
//!
//! A Docker daemon in the root namespace would rewrite the machine's forwarding rules, and the tests start engines in
//! namespaces of their own. While packages are installed, a `policy-rc.d` forbids starting services; afterwards
//! Docker's units are disabled for the next boot.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::need::Need;
use crate::process::{self, as_root, check, check_quietly, command};
use crate::step::{say, step};

/// A script that package installations ask before they start a service; the exit code 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_TEXT: &str = "#!/bin/sh\n# Written by Flotilla's set-up while it installs packages.\nexit 101\n";
/// A package that brings daemons, and the units that would start them at boot.
const DAEMON: &str = "docker.io";
const UNITS: [&str; 3] = ["docker.service", "docker.socket", "containerd.service"];

/// Installs the packages of missing needs. On a system without apt, the error lists what to install.
pub(crate) fn install(checkout: &Checkout, missing: &[&Need]) -> Result<()> {
    if process::lookup_program("apt-get").is_none() {
        let list: Vec<_> = missing
            .iter()
            .map(|need| format!("  - {}", need.described()))
            .collect();
        bail!(
            "install these with your system's package manager, then run the command again:\n{}",
            list.join("\n")
        );
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    step(&format!("Installing packages: {}", packages.join(" ")), || {
        install_packages(checkout, &packages)
    })
}

/// Installs packages by name.
pub(crate) fn install_packages(checkout: &Checkout, packages: &[&str]) -> Result<()> {
    if !process::is_root() {
        say("sudo may ask for your password");
    }
    check(apt_get().args(["-qq", "update"]))?;
    for line in planned_sizes(packages) {
        say(&line);
    }
    let _held = ServiceStartsForbidden::hold(checkout)?;
    check_quietly(
        apt_get()
            .args(["-qq", "--yes", "--no-install-recommends", "install"])
            .args(packages),
    )?;
    if packages.contains(&DAEMON) {
        disable_daemon();
    }
    Ok(())
}

/// Whether apt could install this package.
pub(crate) fn offers(package: &str) -> bool {
    let shown = process::lookup_output(command("apt-cache").args(["policy", package]));
    shown.is_some_and(|text| text.contains("Candidate:") && !text.contains("Candidate: (none)"))
}

fn apt_get() -> std::process::Command {
    let mut apt = as_root("env");
    apt.args([
        "DEBIAN_FRONTEND=noninteractive",
        "LC_ALL=C",
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=500",
    ]);
    apt
}

/// The lines in which apt says how much it will download and how much disk space that takes.
fn planned_sizes(packages: &[&str]) -> Vec<String> {
    let mut apt = apt_get();
    apt.args(["--assume-no", "--no-install-recommends", "install"])
        .args(packages);
    let Ok(output) = apt.output() else {
        return Vec::new();
    };
    sizes_of_plan(&String::from_utf8_lossy(&output.stdout))
}

fn sizes_of_plan(text: &str) -> Vec<String> {
    let tells_size =
        |line: &&str| line.starts_with("Need to get") || line.starts_with("After this operation");
    text.lines().filter(tells_size).map(str::to_owned).collect()
}

fn disable_daemon() {
    let outcome = check_quietly(as_root("systemctl").args(["--quiet", "disable"]).args(UNITS));
    if outcome.is_err() {
        say(&format!(
            "{} could not be disabled: they may start at the next boot",
            UNITS.join(", ")
        ));
    }
}

/// While this value exists, installed services are not started. A `policy-rc.d` of the system is left in place.
struct ServiceStartsForbidden {
    ours: bool,
}

impl ServiceStartsForbidden {
    fn hold(checkout: &Checkout) -> Result<Self> {
        // A file of ours was left by a run that was killed, so this run removes it in the end.
        let present = fs::read_to_string(POLICY).ok();
        if present.is_some() || Path::new(POLICY).exists() {
            return Ok(Self {
                ours: present.as_deref() == Some(POLICY_TEXT),
            });
        }
        fs::create_dir_all(&checkout.cache)?;
        let source = checkout.cache.join("policy-rc.d");
        fs::write(&source, POLICY_TEXT)?;
        check_quietly(as_root("install").args(["-m", "755"]).arg(&source).arg(POLICY))?;
        Ok(Self { ours: true })
    }
}

impl Drop for ServiceStartsForbidden {
    fn drop(&mut self) {
        if self.ours && check_quietly(as_root("rm").args(["-f", POLICY])).is_err() {
            say(&format!(
                "remove {POLICY} by hand: while it is there no service starts when it is installed"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_are_found_in_the_plan() {
        let plan = "Reading package lists...\nNeed to get 75.3 MB of archives.\nAfter this operation, 310 MB of \
                    additional disk space will be used.\nDo you want to continue? [Y/n] N\nAbort.\n";
        let expected = [
            "Need to get 75.3 MB of archives.",
            "After this operation, 310 MB of additional disk space will be used.",
        ];
        assert_eq!(sizes_of_plan(plan), expected);
    }
}
