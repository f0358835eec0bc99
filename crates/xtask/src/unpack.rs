//! Packages of another Debian release or for another processor, whose files are used without installing them. apt gets
//! package lists and settings of its own for them, so the system's stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{check_quietly, command, lookup_output, lookup_program};

const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where a package comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) suite: &'a str,
    /// Debian's name of the architecture; `None` for this machine's.
    pub(crate) architecture: Option<&'a str>,
}

/// Downloads and unpacks a package; returns the directory below which its files are.
pub(crate) fn unpack(package: &str, origin: Origin<'_>, scratch: &Path) -> Result<PathBuf> {
    if lookup_program("apt-get").is_none() {
        bail!("install {package} with your system's package manager");
    }
    for directory in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(scratch.join(directory))?;
    }
    fs::write(
        scratch.join("sources.list"),
        format!("deb [signed-by={KEYRING}] {} {} main\n", mirror(), origin.suite),
    )?;
    check_quietly(apt_get(origin, scratch).args(["-qq", "update"]))?;
    check_quietly(apt_get(origin, scratch).args(["-qq", "download", package]))?;
    let mut files = fs::read_dir(scratch)?.flatten().map(|entry| entry.path());
    let downloaded = files.find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let downloaded = downloaded.context("apt-get downloaded no package")?;
    let root = scratch.join("root");
    check_quietly(command("dpkg").arg("-x").arg(&downloaded).arg(&root))?;
    Ok(root)
}

fn apt_get(origin: Origin<'_>, scratch: &Path) -> Command {
    let mut apt = command("apt-get");
    apt.current_dir(scratch);
    for (setting, value) in [
        ("Dir::Etc::sourcelist", scratch.join("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::State::lists", scratch.join("lists")),
        ("Dir::Cache", scratch.join("cache")),
    ] {
        apt.arg("-o").arg(format!("{setting}={}", value.display()));
    }
    if let Some(architecture) = origin.architecture {
        apt.args(["-o", &format!("APT::Architecture={architecture}")]);
    }
    apt
}

/// The mirror that this machine is configured to use, which a proxy or a cache may be set up for.
pub(crate) fn mirror() -> String {
    let sites =
        lookup_output(command("apt-get").args(["indextargets", "--format", "$(SITE)"])).unwrap_or_default();
    let debian = |site: &&str| site.contains("debian") && !site.contains("security");
    sites.lines().find(debian).unwrap_or(MIRROR).to_owned()
}
