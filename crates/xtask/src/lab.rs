//! What end-to-end tests use in every run, kept in the cache: a Debian root with systemd, Compose v2, a newer engine
//! than the system's, and other WireGuard programs, which are peers in tests and comparators in benches.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::checkout::Checkout;
use crate::process::{as_root, check_quietly, command};
use crate::step::step;
use crate::unpack::{Origin, mirror, unpack};

const ROOTFS_SUITE: &str = "bookworm";
const ROOTFS_PACKAGES: &str = "systemd,systemd-sysv,dbus,iproute2,kmod,curl,ca-certificates,openssh-server";
/// Files of the first package and of the one that was added to the list last: where both exist, the root is complete.
const ROOTFS_EVIDENCE: [&str; 2] = ["usr/lib/systemd/systemd", "usr/sbin/sshd"];
/// The unit that would start an SSH server at boot. Tests start one themselves where they need it.
const ROOTFS_UNIT: &str = "etc/systemd/system/multi-user.target.wants/ssh.service";
/// Where packages come from whose version in Debian 12 is too old: it has Compose v1 only, and a wireguard-go without
/// offload.
const NEWER_DEBIAN: Origin<'_> = Origin {
    suite: "trixie",
    architecture: None,
};
const COMPOSE_PLUGIN: &str = "docker/cli-plugins/docker-compose";
/// The packages of the newer engine, each with its programs. They need no library but the C library, for which Debian
/// 12's is new enough. `runc` is the system's, since the newer one needs newer libraries.
const ENGINE: [(&str, &[&str]); 2] = [
    ("docker.io", &["usr/sbin/dockerd", "usr/sbin/docker-proxy"]),
    (
        "containerd",
        &["usr/bin/containerd", "usr/bin/containerd-shim-runc-v2"],
    ),
];

/// Makes a root file system on which tests boot systemd and paste the install line.
pub(crate) fn ensure_rootfs(checkout: &Checkout) -> Result<()> {
    let rootfs = checkout.lab().join("rootfs");
    if ROOTFS_EVIDENCE.iter().all(|file| rootfs.join(file).exists()) {
        return Ok(());
    }
    step("Making a Debian root with systemd (about a minute)", || {
        fs::create_dir_all(checkout.lab())?;
        // A killed run must not leave half a root under the final name.
        let partial = checkout.lab().join("rootfs.partial");
        check_quietly(as_root("rm").arg("-rf").arg(&partial))?;
        let mut debootstrap = as_root("debootstrap");
        debootstrap.args([
            "--variant=minbase",
            &format!("--include={ROOTFS_PACKAGES}"),
            ROOTFS_SUITE,
        ]);
        check_quietly(debootstrap.arg(&partial).arg(mirror()))?;
        // A host name in the root would override the name that a test gives the machine.
        let unwanted = [partial.join("etc/hostname"), partial.join(ROOTFS_UNIT)];
        check_quietly(as_root("rm").arg("-f").args(unwanted))?;
        check_quietly(as_root("rm").arg("-rf").arg(&rootfs))?;
        check_quietly(as_root("mv").args([&partial, &rootfs]))
    })
}

/// Gets Compose v2 as `lab/bin/docker-compose`.
pub(crate) fn ensure_compose(checkout: &Checkout) -> Result<()> {
    let compose = checkout.lab().join("bin/docker-compose");
    if compose.exists() {
        return Ok(());
    }
    step("Fetching Docker Compose v2", || {
        fs::create_dir_all(checkout.lab().join("bin"))?;
        let installed =
            ["/usr/libexec", "/usr/lib", "/usr/local/lib"].map(|lib| Path::new(lib).join(COMPOSE_PLUGIN));
        let source = match installed.into_iter().find(|path| path.exists()) {
            Some(plugin) => plugin,
            None => {
                let root = unpack("docker-compose", NEWER_DEBIAN, &checkout.lab().join("compose"))?;
                root.join("usr/libexec").join(COMPOSE_PLUGIN)
            }
        };
        copy_whole(&source, &compose)
    })
}

/// Gets a newer Docker than the system's into `lab/engine`. It is not installed: tests put that folder first on `PATH`.
pub(crate) fn ensure_engine(checkout: &Checkout) -> Result<()> {
    let engine = checkout.lab().join("engine");
    if engine.exists() {
        return Ok(());
    }
    step("Fetching a newer Docker engine", || {
        // A killed run must not leave half an engine under the final name.
        let scratch = checkout.lab().join("engine.partial");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        let programs = scratch.join("programs");
        fs::create_dir_all(&programs)?;
        for (package, files) in ENGINE {
            let root = unpack(package, NEWER_DEBIAN, &scratch.join(package))?;
            for file in files.iter().map(Path::new) {
                let name = file.file_name().context("a program has a name")?;
                fs::rename(root.join(file), programs.join(name))
                    .with_context(|| format!("{package} has no {}", file.display()))?;
            }
        }
        fs::rename(&programs, &engine)?;
        Ok(fs::remove_dir_all(&scratch)?)
    })
}

/// WireGuard programs that are published as source: the package, and the program in it.
const FROM_CRATES: [(&str, &str); 2] = [("boringtun-cli", "boringtun-cli"), ("gotatun-cli", "gotatun")];

/// Gets the WireGuard programs that are peers in tests into `lab/bin`. They are compiled unoptimized, which is quicker.
pub(crate) fn ensure_peers(checkout: &Checkout) -> Result<()> {
    let bin = checkout.lab().join("bin");
    let go = bin.join("wireguard-go");
    if !go.exists() {
        step("Fetching wireguard-go", || {
            fs::create_dir_all(&bin)?;
            let root = unpack("wireguard-go", NEWER_DEBIAN, &checkout.lab().join("wireguard-go"))?;
            copy_whole(&root.join("usr/bin/wireguard-go"), &go)
        })?;
    }
    ensure_from_crates(checkout, &bin, &["--debug"])
}

/// Gets those, and the optimized ones that benches compare with into `lab/comparators`.
pub(crate) fn ensure_comparators(checkout: &Checkout) -> Result<()> {
    ensure_peers(checkout)?;
    ensure_from_crates(checkout, &checkout.lab().join("comparators"), &[])
}

fn ensure_from_crates(checkout: &Checkout, directory: &Path, options: &[&str]) -> Result<()> {
    for (package, program) in FROM_CRATES {
        let installed = directory.join(program);
        if installed.exists() {
            continue;
        }
        step(&format!("Installing {package} (some minutes)"), || {
            let root = checkout.lab().join("crates");
            let mut install = command("cargo");
            install
                .env_remove("CARGO_TARGET_DIR")
                .args(["install", "--quiet", "--force", "--root"]);
            check_quietly(install.arg(&root).args(options).arg(package))?;
            fs::create_dir_all(directory)?;
            copy_whole(&root.join("bin").join(program), &installed)
        })?;
    }
    Ok(())
}

/// Copies a program so that a killed run leaves no incomplete file under the final name.
fn copy_whole(source: &Path, target: &Path) -> Result<()> {
    let partial = target.with_extension("partial");
    fs::copy(source, &partial).with_context(|| format!("cannot copy {}", source.display()))?;
    Ok(fs::rename(&partial, target)?)
}
