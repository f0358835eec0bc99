//! What this project needs from the system: each need has the name of a Debian package, and evidence by which it is
//! found on any system.

use std::path::Path;

use crate::process;

/// What a need is for. A command installs only the needs of its own purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Compiling the programs and bundling the UI.
    Build,
    /// The desktop window.
    Desktop,
    /// Agents for every processor that users have.
    Agents,
    /// Machines in network namespaces with engines.
    Lab,
    /// What only tests use: another engine, an emulator, a browser, a display for the desktop window.
    Check,
}

pub(crate) const ALL_PURPOSES: [Purpose; 5] = [
    Purpose::Build,
    Purpose::Desktop,
    Purpose::Agents,
    Purpose::Lab,
    Purpose::Check,
];

/// A program, library or file that has to be there.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) purpose: Purpose,
    /// The package in Debian and Ubuntu.
    pub(crate) package: &'static str,
    evidence: Evidence,
}

/// What shows that a need is met, however it was installed.
#[derive(Debug)]
enum Evidence {
    Program(&'static str),
    /// A name that pkg-config knows.
    Library(&'static str),
    File(&'static str),
}

impl Need {
    const fn program(purpose: Purpose, package: &'static str, program: &'static str) -> Self {
        Self {
            purpose,
            package,
            evidence: Evidence::Program(program),
        }
    }

    const fn library(purpose: Purpose, package: &'static str, library: &'static str) -> Self {
        Self {
            purpose,
            package,
            evidence: Evidence::Library(library),
        }
    }

    const fn file(purpose: Purpose, package: &'static str, file: &'static str) -> Self {
        Self {
            purpose,
            package,
            evidence: Evidence::File(file),
        }
    }

    pub(crate) fn is_met(&self) -> bool {
        match self.evidence {
            Evidence::Program(name) => process::lookup_program(name).is_some(),
            Evidence::Library(name) => {
                process::lookup_output(process::command("pkg-config").args(["--exists", name])).is_some()
            }
            Evidence::File(path) => Path::new(path).exists(),
        }
    }

    /// What to install, in words that also help on a system with other package names.
    pub(crate) fn described(&self) -> String {
        let package = self.package;
        match self.evidence {
            Evidence::Program(name) => format!("the program `{name}` (Debian: {package})"),
            Evidence::Library(name) => {
                format!("the library `{name}` with its pkg-config file (Debian: {package})")
            }
            Evidence::File(path) => format!("the file {path} (Debian: {package})"),
        }
    }
}

use Purpose::{Agents, Build, Check, Desktop, Lab};

/// Debian's C compiler for the processor that this machine does not have.
const OTHER_COMPILER: Need = if cfg!(target_arch = "aarch64") {
    Need::program(Agents, "gcc-x86-64-linux-gnu", "x86_64-linux-gnu-gcc")
} else {
    Need::program(Agents, "gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc")
};

pub(crate) const NEEDS: &[Need] = &[
    Need::program(Build, "build-essential", "cc"),
    Need::program(Build, "pkg-config", "pkg-config"),
    Need::program(Build, "nodejs", "node"),
    Need::program(Build, "npm", "npm"),
    Need::library(Desktop, "libwebkit2gtk-4.1-dev", "webkit2gtk-4.1"),
    Need::library(
        Desktop,
        "libayatana-appindicator3-dev",
        "ayatana-appindicator3-0.1",
    ),
    Need::library(Desktop, "librsvg2-dev", "librsvg-2.0"),
    Need::program(Agents, "musl-tools", "musl-gcc"),
    OTHER_COMPILER,
    Need::program(Lab, "docker.io", "dockerd"),
    Need::file(Lab, "busybox-static", "/bin/busybox"),
    Need::program(Lab, "debootstrap", "debootstrap"),
    Need::program(Lab, "systemd-container", "systemd-nspawn"),
    Need::program(Lab, "iproute2", "ip"),
    Need::program(Lab, "nftables", "nft"),
    Need::program(Lab, "iputils-ping", "ping"),
    Need::program(Lab, "iperf3", "iperf3"),
    Need::program(Lab, "wireguard-tools", "wg"),
    Need::program(Lab, "socat", "socat"),
    Need::program(Lab, "shellcheck", "shellcheck"),
    Need::program(Lab, "tinyproxy-bin", "tinyproxy"),
    Need::program(Lab, "openssh-client", "ssh"),
    Need::program(Lab, "faketime", "faketime"),
    Need::program(Check, "podman", "podman"),
    Need::program(Check, "qemu-user-static", "qemu-aarch64-static"),
    Need::program(Check, "chromium", "chromium"),
    Need::program(Check, "chromium-driver", "chromedriver"),
    Need::program(Check, "webkit2gtk-driver", "WebKitWebDriver"),
    Need::program(Check, "xvfb", "xvfb-run"),
    Need::program(Check, "xauth", "xauth"),
    Need::program(Check, "dbus", "dbus-run-session"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_met_by_its_evidence_and_not_by_its_package() {
        assert!(Need::program(Build, "no-such-package", "sh").is_met());
        assert!(!Need::program(Build, "coreutils", "no-such-program").is_met());
        assert!(!Need::library(Build, "coreutils", "no-such-library").is_met());
        assert!(!Need::file(Build, "coreutils", "/no/such/file").is_met());
    }
}
