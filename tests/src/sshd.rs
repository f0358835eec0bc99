//! An SSH server on a booted system, and the SSH files of the owner from whose computer control connects to it.
//!
//! `ssh` finds its files in the home directory that the user database names. Control is started with a user database in
//! which root's home is a directory of the lab, so the real files of root are neither read nor changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::eventually::{eventually_blocking, seconds};
use crate::flotilla::ControlSetup;
use crate::lab::{Lab, Machine};
use crate::program::{Program, run};
use crate::systemd::System;

/// Starts control in a mount namespace with another user database. The mount has to be made inside the namespace, which
/// `sh -c` does. The text is constant: paths and control's arguments follow as `"$1"` and `"$@"`.
const WITH_HOME: &str = r#"#!/bin/sh
here=$(dirname "$0")
exec unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/passwd; shift; exec "$@"' sh \
  "$here/passwd" "$here/program" "$@"
"#;

const SERVER: &str = "Port 22
HostKey /etc/ssh/lab_host_key
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile /run/sshd.pid
";

/// The owner of the control computer: a home directory with an SSH key and SSH configuration.
#[derive(Debug)]
pub struct Owner {
    home: PathBuf,
}

impl Owner {
    pub fn new(lab: &Lab) -> Result<Self> {
        let home = lab.directory("home")?;
        let owner = Self { home };
        fs::create_dir_all(owner.file(".ssh"))?;
        fs::set_permissions(owner.file(".ssh"), fs::Permissions::from_mode(0o700))?;
        make_key(&owner.file(".ssh/id_ed25519"))?;
        Ok(owner)
    }

    /// Control whose `ssh` uses this owner's files.
    pub fn control(&self, lab: &Lab) -> Result<ControlSetup> {
        let mut setup = ControlSetup::new(lab)?;
        let passwd = format!("root:x:0:0:root:{}:/bin/bash\n", self.home.display());
        fs::write(self.file("passwd"), passwd)?;
        std::os::unix::fs::symlink(&setup.program, self.file("program"))?;
        fs::write(self.file("flotilla"), WITH_HOME)?;
        fs::set_permissions(self.file("flotilla"), fs::Permissions::from_mode(0o755))?;
        setup.program = self.file("flotilla");
        let home = ("HOME".to_owned(), self.home.display().to_string());
        setup.environment.push(home);
        Ok(setup)
    }

    /// Writes an SSH configuration in which this alias is root on that machine.
    pub fn add_alias(&self, alias: &str, machine: &Machine) -> Result<()> {
        let config = format!("Host {alias}\n  HostName {}\n  User root\n", machine.address());
        Ok(fs::write(self.file(".ssh/config"), config)?)
    }

    /// Writes a `known_hosts` that has this host key for the machine (the line of a `.pub` file) and no other.
    pub fn trust_host_key(&self, machine: &Machine, key: &str) -> Result<()> {
        let words: Vec<_> = key.split_whitespace().take(2).collect();
        let line = format!("{} {}\n", machine.address(), words.join(" "));
        Ok(fs::write(self.file(".ssh/known_hosts"), line)?)
    }

    /// The owner's public key, as the line of its `.pub` file.
    pub fn key(&self) -> Result<String> {
        Ok(fs::read_to_string(self.file(".ssh/id_ed25519.pub"))?)
    }

    /// Makes another key pair; returns its public key.
    pub fn another_key(&self, name: &str) -> Result<String> {
        let file = self.file(name);
        make_key(&file)?;
        Ok(fs::read_to_string(file.with_extension("pub"))?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }
}

fn make_key(file: &Path) -> Result<()> {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]);
    run(keygen.arg(file)).map(drop)
}

/// A running SSH server.
#[derive(Debug)]
pub struct Sshd {
    _program: Program,
    /// The server's public host key, as the line of its `.pub` file.
    pub host_key: String,
}

impl Sshd {
    /// Starts a server that accepts logins of root with the key `authorized`.
    pub fn start(system: &System, machine: &Machine, authorized: &str) -> Result<Self> {
        let key = machine.directory().join("host_key");
        make_key(&key)?;
        system.write("/etc/ssh/lab_host_key", fs::read(&key)?)?;
        system.write("/etc/ssh/lab_authorized_keys", authorized)?;
        system.write("/etc/ssh/lab.conf", SERVER)?;
        system.paste("chmod 0600 /etc/ssh/lab_host_key /etc/ssh/lab_authorized_keys; mkdir -p /run/sshd")?;
        let mut sshd = system.command("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f", "/etc/ssh/lab.conf"]);
        let mut program = Program::start(&mut sshd, machine.directory(), "sshd")?;
        eventually_blocking("the SSH server listens", seconds(10.0), || {
            program.ensure_running()?;
            ensure!(program.log()?.contains("Server listening on 0.0.0.0"));
            Ok(())
        })?;
        Ok(Self {
            _program: program,
            host_key: fs::read_to_string(key.with_extension("pub"))?,
        })
    }

    /// The fingerprint of the host key: `SHA256:…`.
    pub fn fingerprint(&self, machine: &Machine) -> Result<String> {
        let mut keygen = Command::new("ssh-keygen");
        let listed = run(keygen.arg("-lf").arg(machine.directory().join("host_key")))?;
        let fingerprint = listed.split_whitespace().nth(1).context("no fingerprint")?;
        Ok(fingerprint.to_owned())
    }
}
