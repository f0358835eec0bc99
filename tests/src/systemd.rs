//! A booted Debian on a machine of the lab: systemd is its first process, and units are hardened for real.
//!
//! Its root is a throw-away layer over the cached one; network and engine are the machine's own. What is added
//! to it is what every Debian has that a Docker was installed on: `sudo`, and the group that owns the socket. Where
//! Docker is yet to be installed, [`apt`] has it.

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

/// Programs that stand in for the real ones; first on PATH, and in no file tree that is compared.
const STAND_INS: &str = "/run/stand-ins";

const PATH: &str = "/run/stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is no file of the system, or changes by itself while it runs.
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

/// A running system. Dropping it takes its power away.
#[derive(Debug)]
pub struct System {
    // The power switch; everything else goes through the first process.
    nspawn: Program,
    first_process: u32,
}

impl System {
    /// With the machine's engine, where it has one.
    pub fn boot(machine: &Machine) -> Result<Self> {
        let system = Self::boot_with(machine, "/run/docker.sock")?;
        if machine.socket().exists() {
            let group = machine.socket().metadata()?.gid().to_string();
            run(system.command("groupadd").args(["--gid", &group, "docker"]))?;
        }
        Ok(system)
    }

    /// Before Docker was installed, which takes [`System::offer_docker`]; the machine's engine waits for that.
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
            // Looked up each time: the first child is only the one that prepares the second.
            system.first_process = first_child(system.nspawn.id())?;
            // It exits with an error where some unit failed, which a container always has.
            let state = system.command("systemctl").arg("is-system-running").output()?;
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            ensure!(["running", "degraded"].contains(&state.as_str()), "it is {state}");
            Ok(())
        })?;
        // As udev makes it everywhere: for everybody, since the right to make an interface is another one.
        system.paste("umount /dev/net/tun; rm -f /dev/net/tun; mknod -m 0666 /dev/net/tun c 10 200")?;
        system.write("/usr/local/bin/sudo", SUDO)?;
        run(system.command("chmod").args(["0755", "/usr/local/bin/sudo"]))?;
        Ok(system)
    }

    /// A command inside, with an environment as after a login of root.
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

    /// The same, whatever end it takes.
    pub fn attempt(&self, text: &str) -> Result<Outcome> {
        attempt(self.command("bash").args(["-c", text]))
    }

    /// Puts a shell script before a program of this name, until [`System::forget_stand_ins`].
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

    /// One line for each file of the root, as `find -printf` has it, but for what changes by itself. Of directories
    /// only what nobody changes by using them.
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

    /// One property of a unit, as `systemctl show` has it.
    pub fn unit(&self, unit: &str, property: &str) -> Result<String> {
        run(self
            .command("systemctl")
            .args(["show", "--value", "--property", property, unit]))
    }

    pub fn journal(&self, unit: &str) -> Result<String> {
        run(self
            .command("journalctl")
            .args(["--no-pager", "--output=cat", "--unit", unit]))
    }

    /// Whether a file or directory is there.
    pub fn has(&self, path: &str) -> Result<bool> {
        Ok(self.command("test").args(["-e", path]).status()?.success())
    }

    /// Writes a file through the root of the first process.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let file = self.seen_from_outside(path);
        fs::write(&file, content).with_context(|| format!("cannot write {file}"))
    }

    fn seen_from_outside(&self, path: &str) -> String {
        format!("/proc/{}/root{path}", self.first_process)
    }
}

fn first_child(parent: u32) -> Result<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    let first = children.split_whitespace().next().context("it has no child")?;
    Ok(first.parse()?)
}
