//! A booted Debian on a machine of the lab: systemd is its first process, and the hardening of units is in force.
//!
//! Its root is a temporary layer over the cached root file system; network and engine are the machine's own. What is
//! added is what every Debian with Docker has: `sudo`, and the group that owns the engine's socket. For a system on
//! which the installer has to install Docker, [`apt`] offers a package.

mod apt;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::artifacts;
use crate::eventually::{eventually_blocking, seconds};
use crate::lab::Machine;
use crate::program::{Outcome, Program, attempt, run};

const SUDO: &str = "#!/bin/sh\nexec \"$@\"\n";

/// The folder of scripts that stand in for programs. It is first on `PATH`, and in no directory that is compared.
const STAND_INS: &str = "/run/stand-ins";

const PATH: &str = "/run/stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Directories that are not compared: what is in them is no installed file, or changes by itself.
const CHANGING: [&str; 9] = [
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/tmp",
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/systemd",
    "/var/log",
];

/// A running system. Dropping it kills it.
#[derive(Debug)]
pub struct System {
    // The process of systemd-nspawn, which ends the system when it ends.
    nspawn: Program,
    first_process: u32,
}

impl System {
    /// Boots a Debian with the machine's engine, where the machine has one.
    pub fn boot(machine: &Machine) -> Result<Self> {
        let system = Self::boot_with(machine, "/run/docker.sock")?;
        if machine.socket().exists() {
            let group = machine.socket().metadata()?.gid().to_string();
            run(system.command("groupadd").args(["--gid", &group, "docker"]))?;
        }
        Ok(system)
    }

    /// Boots a Debian without Docker. The installer cannot install Docker until [`System::offer_docker`]; the machine's
    /// engine then becomes that Docker.
    pub fn boot_without_docker(machine: &Machine) -> Result<Self> {
        let system = Self::boot_with(machine, apt::ENGINE)?;
        system.offer_nothing()?;
        Ok(system)
    }

    fn boot_with(machine: &Machine, engine: &str) -> Result<Self> {
        let mut nspawn = Command::new("systemd-nspawn");
        nspawn
            .arg("--directory")
            .arg(artifacts::lab_file("rootfs")?)
            .args([
                "--volatile=overlay",
                "--boot",
                "--console=pipe",
                "--register=no",
                "--keep-unit",
            ])
            .args([
                format!("--machine={}", machine.unique_name()),
                format!("--hostname={}", machine.name()),
            ])
            .arg(format!(
                "--network-namespace-path={}",
                machine.network().display()
            ))
            .args(["--capability=CAP_NET_ADMIN", "--bind=/dev/net/tun"]);
        let socket = machine.socket();
        if socket.exists() {
            nspawn.arg(format!("--bind={}:{engine}", socket.display()));
        }
        let nspawn = Program::start(&mut nspawn, machine.directory(), "systemd")?;
        let mut system = Self {
            nspawn,
            first_process: 0,
        };
        eventually_blocking("systemd has started", seconds(30.0), || {
            system.nspawn.ensure_running()?;
            // Looked up at each probe: the first child of systemd-nspawn is replaced by systemd while it starts.
            system.first_process = first_child(system.nspawn.id())?;
            // The exit code is not used: it is an error where any unit failed, which is normal in a container.
            let state = system.command("systemctl").arg("is-system-running").output()?;
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            ensure!(["running", "degraded"].contains(&state.as_str()), "it is {state}");
            Ok(())
        })?;
        // With the mode that udev gives it: all users may open it, since making an interface takes another right.
        system.paste("umount /dev/net/tun; rm -f /dev/net/tun; mknod -m 0666 /dev/net/tun c 10 200")?;
        system.write("/usr/local/bin/sudo", SUDO)?;
        run(system.command("chmod").args(["0755", "/usr/local/bin/sudo"]))?;
        Ok(system)
    }

    /// A command inside the system, with the environment of a login of root.
    pub fn command(&self, program: &str) -> Command {
        let mut nsenter = Command::new("nsenter");
        nsenter.arg(format!("--target={}", self.first_process));
        nsenter.args([
            "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--", program,
        ]);
        nsenter.env_clear().env("HOME", "/root").env("PATH", PATH);
        nsenter
    }

    /// Runs a text that a person pastes into a root shell, exactly as it is.
    pub fn paste(&self, text: &str) -> Result<String> {
        run(self.command("bash").args(["-c", text]))
    }

    /// The same; an exit code other than 0 is no error.
    pub fn attempt(&self, text: &str) -> Result<Outcome> {
        attempt(self.command("bash").args(["-c", text]))
    }

    /// Makes a shell script run in place of this program, until [`System::forget_stand_ins`].
    pub fn stand_in(&self, program: &str, body: &str) -> Result<()> {
        let directory = self.seen_from_outside(STAND_INS);
        fs::create_dir_all(&directory)?;
        let file = format!("{directory}/{program}");
        fs::write(&file, format!("#!/bin/bash\n{body}\n"))?;
        Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
    }

    pub fn forget_stand_ins(&self) -> Result<()> {
        let directory = self.seen_from_outside(STAND_INS);
        if Path::new(&directory).exists() {
            fs::remove_dir_all(directory)?;
        }
        Ok(())
    }

    /// One line for each file of the root in this format of `find -printf`, except for [`CHANGING`]. Lines of
    /// directories have path, mode and owner only, which do not change when files in them do.
    pub fn files(&self, format: &str) -> Result<BTreeSet<String>> {
        let mut find = self.command("find");
        find.args(["/", "-xdev"]);
        for path in CHANGING {
            find.args(["-path", path, "-prune", "-o"]);
        }
        Ok(
            run(find.args(["-type", "d", "-printf", "%p %m %U:%G\\n", "-o", "-printf", format]))?
                .lines()
                .map(str::to_owned)
                .collect(),
        )
    }

    /// The value of a property of a unit, by `systemctl show`.
    pub fn unit(&self, unit: &str, property: &str) -> Result<String> {
        run(self
            .command("systemctl")
            .args(["show", "--value", "--property", property, unit]))
    }

    /// The messages of a unit in the journal.
    pub fn journal(&self, unit: &str) -> Result<String> {
        run(self
            .command("journalctl")
            .args(["--no-pager", "--output=cat", "--unit", unit]))
    }

    /// Whether a file or directory exists inside the system.
    pub fn has(&self, path: &str) -> Result<bool> {
        Ok(self.command("test").args(["-e", path]).status()?.success())
    }

    /// Writes a file of the system from outside.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let file = self.seen_from_outside(path);
        fs::write(&file, content).with_context(|| format!("cannot write {file}"))
    }

    /// The path outside of a file of the system.
    fn seen_from_outside(&self, path: &str) -> String {
        format!("/proc/{}/root{path}", self.first_process)
    }
}

fn first_child(parent: u32) -> Result<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    let first = children.split_whitespace().next().context("it has no child")?;
    Ok(first.parse()?)
}
