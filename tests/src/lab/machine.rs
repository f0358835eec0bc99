//! One machine: a network namespace with a host name, an address, a machine id, an engine and a `/run` of its own.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::engine_version::EngineVersion;
use super::network;
use super::run::Run;
use crate::eventually::{eventually_blocking, seconds};
use crate::program::{Program, run};

/// Sets host name and files in the new namespaces, then becomes the program that its arguments name. The text is
/// constant; what varies is in the arguments.
const MOVE_IN: &str = r#"set -e
hostname "$1"
mount --bind "$2/machine-id" /etc/machine-id
mount --bind "$2/etc-docker" /etc/docker
mount --bind "$2/run" /run
shift 2
exec "$@""#;

#[derive(Debug)]
pub struct Machine {
    name: String,
    number: u8,
    address: Ipv4Addr,
    namespace: String,
    cgroup: String,
    directory: PathBuf,
    engine_version: EngineVersion,
    engine: Option<Program>,
}

impl Machine {
    pub(super) fn create(run: &Run, name: String, number: u8, address: Ipv4Addr) -> Result<Self> {
        let directory = run.directory().join(&name);
        // An engine keeps its id in /etc/docker, so each has one of its own. A directory to mount over has to exist.
        fs::create_dir_all(directory.join("etc-docker"))?;
        fs::create_dir_all("/etc/docker")?;
        fs::create_dir_all(directory.join("run"))?;
        fs::write(
            directory.join("machine-id"),
            format!("{:032x}\n", rand::random::<u128>()),
        )?;
        let [namespace, cgroup] = [run.namespace(&name), run.cgroup(&name)];
        Ok(Self {
            name,
            number,
            address,
            namespace,
            cgroup,
            directory,
            engine_version: EngineVersion::Installed,
            engine: None,
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The machine's number in its lab, from 1.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub(super) fn moved_to(&mut self, address: Ipv4Addr) {
        self.address = address;
    }

    /// The machine's directory, by a path that is the same in all namespaces.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A name that no machine of another lab has: that of its network namespace.
    #[must_use]
    pub fn unique_name(&self) -> &str {
        &self.namespace
    }

    /// The path of the machine's network namespace.
    #[must_use]
    pub fn network(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.namespace)
    }

    /// A command that runs on this machine.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        // `ip netns exec` would mount another /sys, in which an engine finds no cgroups.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.network().display()));
        command.args(["unshare", "--uts", "--mount", "--propagation", "private", "--"]);
        command
            .args(["sh", "-c", MOVE_IN, "sh", &self.name])
            .arg(&self.directory)
            .arg(program);
        command
    }

    /// The machine's `/run/docker.sock`, by a path that is the same in all namespaces.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("run/docker.sock")
    }

    /// The address of its engine, for `DOCKER_HOST` in any namespace.
    #[must_use]
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// `docker` for the engine of this machine.
    #[must_use]
    pub fn docker(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.args(["--host", &self.docker_host()]);
        docker
    }

    /// Runs a text that a person pastes into a root shell on this machine, exactly as it is.
    pub fn paste(&self, text: &str) -> Result<String> {
        run(self
            .command("bash")
            .current_dir(&self.directory)
            .args(["-c", text]))
    }

    /// Sets the version that [`Machine::start_engine`] starts; `Installed` where it is not set.
    pub fn use_engine(&mut self, version: EngineVersion) {
        self.engine_version = version;
    }

    pub fn start_engine(&mut self) -> Result<()> {
        let directory = self.directory.display();
        let mut dockerd = self.command("dockerd");
        dockerd
            .env("PATH", self.engine_version.path()?)
            .arg(format!("--data-root={directory}/data"))
            .arg(format!("--exec-root={directory}/exec"))
            .arg(format!("--bip=172.2{}.0.1/16", self.number))
            .arg(format!(
                "--default-address-pool=base=10.2{}.0.0/16,size=24",
                self.number
            ))
            .arg(format!("--cgroup-parent={}", self.cgroup))
            // Where systemd runs, dockerd takes a cgroup parent that is no slice with this driver only.
            .arg("--exec-opt=native.cgroupdriver=cgroupfs")
            .args([
                "--dns=127.0.0.1",
                "--userland-proxy=false",
                "--insecure-registry=10.77.0.0/24",
            ]);
        self.engine = Some(Program::start(&mut dockerd, &self.directory, "dockerd")?);
        Ok(())
    }

    pub fn wait_for_engine(&self, within: Duration) -> Result<()> {
        let what = format!("the engine of {} answers", self.name);
        eventually_blocking(&what, within, || {
            run(self.docker().args(["version", "--format", "{{.Server.Version}}"])).map(drop)
        })
    }

    /// Stops the engine and its containers by SIGTERM.
    pub fn stop_engine(&mut self) -> Result<()> {
        if let Some(mut engine) = self.engine.take() {
            let status = engine.terminate(seconds(20.0))?;
            ensure!(status.success(), "dockerd of {} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Drops all packets from and to the machine, without an error for any sender, until [`Self::plug_cable`].
    pub fn pull_cable(&self) -> Result<()> {
        network::pull_cable(&self.namespace)
    }

    pub fn plug_cable(&self) -> Result<()> {
        network::plug_cable(&self.namespace)
    }
}
