//! Agents for devices: static programs and an image of each, in the layout that control serves.
//!
//! `AGENTS/x86_64-linux/flotilla-agent` and `AGENTS/agent-image-amd64.tar`, likewise `aarch64` and `arm64`. An agent for
//! this machine is linked with glibc, for which the toolchain needs no set-up. Agents that users download, and those
//! for another processor, are linked with musl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::architecture::{ARCHITECTURES, Architecture};
use crate::cargo::{self, Artifact, Profile};
use crate::checkout::Checkout;
use crate::process::{command, lookup_output};
use crate::step::{say, step};
use crate::{bundle, image, musl, setup};

/// Limit of an image in bytes: a device downloads it over a line that may be slow.
const LARGEST_IMAGE: usize = 15 << 20;

/// Builds the directory for `--agents-dir` with an agent and an image for this machine's processor.
pub(crate) fn build(checkout: &Checkout, profile: Profile) -> Result<PathBuf> {
    let directory = empty_directory(checkout, profile.name())?;
    build_native(checkout, profile, &directory)?;
    Ok(directory)
}

/// The same directory, and the server. They are built together, linked alike, so that what both depend on is compiled
/// once.
pub(crate) fn build_with_server(checkout: &Checkout, profile: Profile) -> Result<(PathBuf, PathBuf)> {
    let directory = empty_directory(checkout, profile.name())?;
    let native = Architecture::native()?;
    let server = step("Building the server, the agent and its image", || {
        let mut command = static_glibc(native, profile);
        command.args(["--package", "flotilla", "--bin", "flotilla"]);
        let programs = build_agent_with(&mut command)?;
        let agent = cargo::program_of(&programs, "flotilla-agent")?;
        store(checkout, &directory, native, &agent)?;
        cargo::program_of(&programs, "flotilla")
    })?;
    Ok((directory, server))
}

/// The directory with an agent for the other processor too, which tests run in an emulator. That one is built in the
/// cache and not in the target directory: a fresh clone then compiles none of its dependencies again.
pub(crate) fn build_for_tests(checkout: &Checkout) -> Result<PathBuf> {
    let directory = empty_directory(checkout, "tests")?;
    build_native(checkout, Profile::Dev, &directory)?;
    for architecture in ARCHITECTURES.iter().filter(|other| !other.is_native()) {
        step(
            &format!("Building the agent for {} and its image", architecture.name),
            || {
                let flags = ["-Cstrip=debuginfo".to_owned()];
                let mut command = musl::cargo_build(checkout, architecture, Profile::Dev, &flags)?;
                command.env("CARGO_TARGET_DIR", checkout.cache.join("other-processor"));
                store(checkout, &directory, architecture, &cargo_build(&mut command)?).map(drop)
            },
        )?;
    }
    Ok(directory)
}

/// Builds the directory for `--agents-dir` with the agents and images that users download, for every processor.
pub(crate) fn build_for_users(checkout: &Checkout) -> Result<PathBuf> {
    setup::agents(checkout)?;
    let directory = empty_directory(checkout, Profile::Dist.name())?;
    for architecture in &ARCHITECTURES {
        step(
            &format!("Building the agent for {} and its image", architecture.name),
            || {
                let flags = remapped_paths(checkout);
                let mut command = musl::cargo_build(checkout, architecture, Profile::Dist, &flags)?;
                if let Some(moment) = time_of_last_change(checkout) {
                    command.env("SOURCE_DATE_EPOCH", moment);
                }
                let image = store(checkout, &directory, architecture, &cargo_build(&mut command)?)?;
                ensure!(
                    image <= LARGEST_IMAGE,
                    "the image has {image} bytes, and {LARGEST_IMAGE} at most are allowed"
                );
                Ok(())
            },
        )?;
    }
    Ok(directory)
}

/// The agent for this machine's processor in such a directory.
pub(crate) fn native_program(directory: &Path) -> PathBuf {
    directory.join(format!("{}-linux/flotilla-agent", std::env::consts::ARCH))
}

/// The image for this machine's processor in such a directory.
pub(crate) fn native_image(directory: &Path) -> PathBuf {
    let engine = Architecture::native().map_or("amd64", |architecture| architecture.engine);
    directory.join(image_name(engine))
}

fn image_name(engine: &str) -> String {
    format!("agent-image-{engine}.tar")
}

fn empty_directory(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let directory = checkout.target.join("agents").join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn build_native(checkout: &Checkout, profile: Profile, directory: &Path) -> Result<()> {
    let native = Architecture::native()?;
    step("Building the agent and its image", || {
        let agent = cargo_build(&mut static_glibc(native, profile))?;
        store(checkout, directory, native, &agent).map(drop)
    })
}

/// Copies an agent into the directory and makes its image; returns the size of the image in bytes.
fn store(checkout: &Checkout, directory: &Path, architecture: &Architecture, agent: &Path) -> Result<usize> {
    let content = fs::read(agent)?;
    let folder = directory.join(format!("{}-linux", architecture.name));
    fs::create_dir_all(&folder)?;
    fs::copy(agent, folder.join("flotilla-agent"))?;
    let image = image::archive(&content, architecture.engine, &checkout.version)?;
    fs::write(directory.join(image_name(architecture.engine)), &image)?;
    say(&format!(
        "agent: {} KB, SHA-256 {}\nimage {}: {} KB, SHA-256 {}",
        content.len() / 1024,
        bundle::hex_digest(&content),
        image::tag(&checkout.version),
        image.len() / 1024,
        bundle::hex_digest(&image),
    ));
    Ok(image.len())
}

fn cargo_build(command: &mut Command) -> Result<PathBuf> {
    cargo::program_of(&build_agent_with(command)?, "flotilla-agent")
}

/// Builds the agent beside the programs that the command names.
fn build_agent_with(command: &mut Command) -> Result<Vec<Artifact>> {
    cargo::build(command.args(["--package", "flotilla-agent", "--bin", "flotilla-agent"]))
}

fn static_glibc(architecture: &Architecture, profile: Profile) -> Command {
    let target = architecture.glibc();
    // The variable that names the target leaves out build scripts and macros, which cannot be linked statically. Debug
    // information is stripped, since an agent is sent over the network and packed into images.
    let flags = "-C target-feature=+crt-static -C strip=debuginfo";
    let mut command = cargo::cargo("build");
    command
        .env_remove("RUSTFLAGS")
        .env(
            musl::variable_of_target("CARGO_TARGET_", &target, "_RUSTFLAGS").to_uppercase(),
            flags,
        )
        .args(["--profile", profile.name(), "--target", &target]);
    command
}

/// Flags that remove this machine's paths from the program, so that it is the same wherever it is built.
fn remapped_paths(checkout: &Checkout) -> Vec<String> {
    let mut flags = vec![format!(
        "--remap-path-prefix={}=flotilla",
        checkout.root.display()
    )];
    let homes = [
        ("CARGO_HOME", ".cargo", "cargo"),
        ("RUSTUP_HOME", ".rustup", "rustup"),
    ];
    for (variable, usual, name) in homes {
        let home = std::env::var_os(variable).map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(usual)));
        if let Some(home) = home {
            flags.push(format!("--remap-path-prefix={}={name}", home.display()));
        }
    }
    flags
}

/// The time of the last commit in seconds since 1970, which replaces the time of the build: the same source gives the
/// same program. `None` outside of a repository.
fn time_of_last_change(checkout: &Checkout) -> Option<String> {
    let mut git = command("git");
    git.current_dir(&checkout.root)
        .args(["log", "-1", "--format=%ct"]);
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .or_else(|| lookup_output(&mut git))
}
