//! Podman as the only engine of a machine: root's, with its API socket where systemd puts it.
//!
//! Commands run in the mount namespace of its service, where the networks of containers are files. Their `PATH` has no
//! `docker`, which this computer has, so that texts choose Podman.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::eventually::{eventually_blocking, seconds};
use crate::lab::Machine;
use crate::program::{Program, run};

/// The folder in the machine's directory that is the whole `PATH`.
const PROGRAMS: &str = "programs";

const SOCKET: &str = "/run/podman/podman.sock";

/// Starts the service. The text is constant; its argument is the socket.
const START: &str = r#"set -e
mkdir -p /run/podman
exec podman system service --time 0 "unix://$1""#;

/// The root of the cgroup trees, and the cgroups that Podman leaves in them, the inner one first.
const CGROUPS: &str = "/sys/fs/cgroup";
const LEFT: [&str; 2] = ["libpod_parent/conmon", "libpod_parent"];

/// The running service. Dropping it removes all of its containers.
#[derive(Debug)]
pub struct Podman<'a> {
    machine: &'a Machine,
    service: Program,
}

impl<'a> Podman<'a> {
    /// Starts the service on a machine without an engine, and imports the sample images.
    pub fn start(machine: &'a Machine) -> Result<Self> {
        configure(machine)?;
        link_programs(&machine.directory().join(PROGRAMS))?;
        let mut start = with_settings(machine.command("sh"), machine);
        start.args(["-c", START, "sh", SOCKET]);
        let service = Program::start(&mut start, machine.directory(), "podman")?;
        let podman = Self { machine, service };
        let socket = machine.directory().join("run/podman/podman.sock");
        eventually_blocking("Podman's socket", seconds(10.0), || Ok(fs::metadata(&socket)?))?;
        podman.machine.load_images_by(|| podman.podman())?;
        Ok(podman)
    }

    /// `podman` on this machine.
    #[must_use]
    pub fn podman(&self) -> Command {
        self.command("podman")
    }

    /// Runs a text that a person pastes into a root shell on this machine, exactly as it is.
    pub fn paste(&self, text: &str) -> Result<String> {
        run(self.command("bash").args(["-c", text]))
    }

    /// From now on it is found as `docker` as well, as distributions have it.
    pub fn call_docker(&self) -> Result<()> {
        let docker = self.machine.directory().join(PROGRAMS).join("docker");
        fs::write(&docker, "#!/bin/sh\nexec podman \"$@\"\n")?;
        Ok(fs::set_permissions(&docker, fs::Permissions::from_mode(0o755))?)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.service.id().to_string();
        command.args(["--target", &target, "--net", "--uts", "--mount"]);
        command.arg(format!("--wdns={}", self.machine.directory().display()));
        command.arg(program);
        with_settings(command, self.machine)
    }
}

impl Drop for Podman<'_> {
    fn drop(&mut self) {
        // A container whose network others share can only be removed after those.
        for _ in 0..2 {
            run(self.podman().args(["rm", "--all", "--force", "--time", "0"])).ok();
        }
        let hierarchies = fs::read_dir(CGROUPS).into_iter().flatten().flatten();
        let roots = hierarchies.map(|hierarchy| hierarchy.path());
        for root in roots.chain([CGROUPS.into()]) {
            for group in LEFT {
                fs::remove_dir(root.join(group)).ok();
            }
        }
    }
}

fn with_settings(mut command: Command, machine: &Machine) -> Command {
    command
        .env("PATH", machine.directory().join(PROGRAMS))
        .env("CONTAINERS_CONF", machine.directory().join("containers.conf"))
        .env(
            "CONTAINERS_STORAGE_CONF",
            machine.directory().join("storage.conf"),
        );
    command
}

/// Links all programs of this computer except `docker` into the folder.
fn link_programs(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for directory in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"] {
        let programs = fs::read_dir(directory).into_iter().flatten().flatten();
        for program in programs.filter(|program| program.file_name() != "docker") {
            let link = folder.join(program.file_name());
            if !link.exists() {
                symlink(program.path(), link).ok();
            }
        }
    }
    Ok(())
}

/// Writes Podman's configuration: files below the machine's directory, the runtime that is installed, and limits low
/// enough for a computer on which root may not raise its own.
fn configure(machine: &Machine) -> Result<()> {
    let directory = machine.directory().display();
    let runtime = run(Command::new("sh").args(["-c", "command -v crun || command -v runc"]))
        .context("Podman needs crun or runc")?;
    let containers = format!(
        "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
         [engine]\nruntime = \"{runtime}\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
         [network]\nnetwork_config_dir = \"{directory}/podman-networks\"\n"
    );
    let storage = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{directory}/podman\"\nrunroot = \"/run/containers/storage\"\n"
    );
    fs::write(machine.directory().join("containers.conf"), containers)?;
    fs::write(machine.directory().join("storage.conf"), storage)?;
    Ok(())
}
