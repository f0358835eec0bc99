//! Agents for other machines: static programs, and the image of each, laid out as control serves them.
//!
//! `AGENTS/x86_64-linux/flotilla-agent` and `AGENTS/agent-image-amd64.tar`, likewise `aarch64` and `arm64`. For what
//! runs on this machine the toolchain in use links glibc statically and needs no set-up; what users download is
//! linked with musl, where its target is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::image;
use crate::process::{check_quietly, command, lookup_output, lookup_program};
use crate::step::{say, step};
use crate::wasm::DEBIAN_RUSTC;

/// One architecture by the names that control, engines and compilers have for it.
struct Architecture {
    /// As the kernel and rustc say.
    name: &'static str,
    /// As engines say.
    engine: &'static str,
    /// Debian's compiler for it from elsewhere.
    cross_compiler: &'static str,
}

const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "x86_64",
        engine: "amd64",
        cross_compiler: "x86_64-linux-gnu-gcc",
    },
    Architecture {
        name: "aarch64",
        engine: "arm64",
        cross_compiler: "aarch64-linux-gnu-gcc",
    },
];

impl Architecture {
    fn is_native(&self) -> bool {
        self.name == std::env::consts::ARCH
    }

    fn glibc(&self) -> String {
        format!("{}-unknown-linux-gnu", self.name)
    }

    fn musl(&self) -> String {
        format!("{}-unknown-linux-musl", self.name)
    }
}

/// The directory for `--agents-dir`, with what this machine itself can run.
pub(crate) fn build(checkout: &Checkout, profile: Profile) -> Result<PathBuf> {
    let native = ARCHITECTURES.iter().find(|architecture| architecture.is_native());
    let native = native.context("agents are built for x86_64 and aarch64 only")?;
    step("Building the agent and its image", || {
        let directory = emptied(checkout, profile)?;
        let agent = cargo_build(&mut static_glibc(native, profile))?;
        place(checkout, &directory, native, &agent)?;
        Ok(directory)
    })
}

/// The directory for `--agents-dir`, with what users download, for every architecture that can be built here.
pub(crate) fn build_for_users(checkout: &Checkout) -> Result<PathBuf> {
    let directory = emptied(checkout, Profile::Dist)?;
    for architecture in &ARCHITECTURES {
        step(
            &format!("Building the {} agent and its image", architecture.name),
            || {
                let mut command = match static_musl(checkout, architecture)? {
                    Some(command) => command,
                    None if architecture.is_native() => {
                        say("without musl it is linked with glibc, which makes it larger");
                        static_glibc(architecture, Profile::Dist)
                    }
                    None => {
                        say("left out");
                        return Ok(());
                    }
                };
                place(checkout, &directory, architecture, &cargo_build(&mut command)?)
            },
        )?;
    }
    Ok(directory)
}

/// The agent of this machine's architecture in such a directory.
pub(crate) fn native_program(directory: &Path) -> PathBuf {
    directory.join(format!("{}-linux/flotilla-agent", std::env::consts::ARCH))
}

/// The image of this machine's architecture in such a directory.
pub(crate) fn native_image(directory: &Path) -> PathBuf {
    let native = ARCHITECTURES.iter().find(|architecture| architecture.is_native());
    directory.join(format!(
        "agent-image-{}.tar",
        native.map_or("amd64", |architecture| architecture.engine)
    ))
}

fn emptied(checkout: &Checkout, profile: Profile) -> Result<PathBuf> {
    let directory = checkout.target.join("agents").join(profile.name());
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn place(checkout: &Checkout, directory: &Path, architecture: &Architecture, agent: &Path) -> Result<()> {
    let content = fs::read(agent)?;
    let folder = directory.join(format!("{}-linux", architecture.name));
    fs::create_dir_all(&folder)?;
    fs::copy(agent, folder.join("flotilla-agent"))?;
    let image = image::archive(&content, architecture.engine, &checkout.version)?;
    fs::write(
        directory.join(format!("agent-image-{}.tar", architecture.engine)),
        &image,
    )?;
    say(&format!(
        "{}: agent {} KB, image {} KB as {}",
        architecture.name,
        content.len() / 1024,
        image.len() / 1024,
        image::tag(&checkout.version)
    ));
    Ok(())
}

fn cargo_build(command: &mut Command) -> Result<PathBuf> {
    command.args(["--package", "flotilla-agent", "--bin", "flotilla-agent"]);
    let artifacts = cargo::build(command)?;
    let agent = artifacts
        .into_iter()
        .rfind(|artifact| artifact.target == "flotilla-agent");
    Ok(agent.context("cargo built no agent")?.file)
}

fn static_glibc(architecture: &Architecture, profile: Profile) -> Command {
    let target = architecture.glibc();
    // Flags for a named target leave build scripts and macros alone, which cannot be linked statically.
    // An agent is sent over the network and packed into images: debug information stays here.
    let flags = "-C target-feature=+crt-static -C strip=debuginfo";
    let mut command = cargo::cargo("build");
    command
        .env_remove("RUSTFLAGS")
        .env(
            of_target("CARGO_TARGET_", &target, "_RUSTFLAGS").to_uppercase(),
            flags,
        )
        .args(["--profile", profile.name(), "--target", &target]);
    command
}

/// The build with musl, where this machine has what it takes.
fn static_musl(checkout: &Checkout, architecture: &Architecture) -> Result<Option<Command>> {
    let target = architecture.musl();
    let mut command = cargo::cargo("build");
    command
        .env_remove("RUSTFLAGS")
        .args(["--profile", Profile::Dist.name(), "--target", &target]);
    match library_of(&target) {
        Library::Chosen => {}
        // Two compilers share no build output.
        Library::Debian => {
            command
                .env("RUSTC", DEBIAN_RUSTC)
                .arg("--target-dir")
                .arg(checkout.target.join("debian-rustc"));
        }
        Library::Absent => {
            say(&format!("no Rust target {target}"));
            return Ok(None);
        }
    }
    let compiler = if architecture.is_native() {
        "musl-gcc"
    } else {
        architecture.cross_compiler
    };
    if lookup_program(compiler).is_none() {
        say(&format!(
            "no `{compiler}` (Debian: musl-tools, gcc-aarch64-linux-gnu)"
        ));
        return Ok(None);
    }
    command.env(of_target("CC_", &target, ""), compiler);
    if !architecture.is_native() {
        let Some(flags) = cross_flags(architecture)? else {
            return Ok(None);
        };
        command.env(of_target("CFLAGS_", &target, ""), flags);
        command.env(of_target("AR_", &target, ""), compiler.replace("-gcc", "-ar"));
        command.env(
            of_target("CARGO_TARGET_", &target, "_LINKER").to_uppercase(),
            compiler,
        );
    }
    Ok(Some(command))
}

enum Library {
    /// In the toolchain in use, perhaps after asking rustup for it.
    Chosen,
    /// Beside Debian's compiler.
    Debian,
    Absent,
}

fn library_of(target: &str) -> Library {
    let has = |rustc: &str| {
        let directory = lookup_output(command(rustc).args(["--print", "target-libdir", "--target", target]));
        directory.is_some_and(|directory| Path::new(&directory).join("self-contained").exists())
    };
    if has("rustc") {
        return Library::Chosen;
    }
    if has(DEBIAN_RUSTC) {
        return Library::Debian;
    }
    match check_quietly(command("rustup").args(["target", "add", target])) {
        Ok(()) => Library::Chosen,
        Err(_) => Library::Absent,
    }
}

/// C code must see the headers of musl, not those of the cross compiler's glibc.
fn cross_flags(architecture: &Architecture) -> Result<Option<String>> {
    let headers = format!("/usr/lib/{}-linux-musl-include", architecture.name);
    if !Path::new(&headers).exists() {
        say(&format!("no musl headers in {headers}"));
        return Ok(None);
    }
    let library = lookup_output(command(architecture.cross_compiler).arg("-print-libgcc-file-name"));
    let Some(library) = library else {
        bail!("`{}` has no libgcc", architecture.cross_compiler)
    };
    let own = Path::new(&library).with_file_name("include");
    Ok(Some(format!(
        "-nostdinc -isystem {headers} -isystem {} -U_FORTIFY_SOURCE",
        own.display()
    )))
}

/// The name of a variable that concerns one target.
fn of_target(prefix: &str, target: &str, suffix: &str) -> String {
    format!("{prefix}{}{suffix}", target.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_for_a_target_are_spelled_as_cargo_and_cc_read_them() {
        let target = ARCHITECTURES[0].musl();
        assert_eq!(of_target("CC_", &target, ""), "CC_x86_64_unknown_linux_musl");
        assert_eq!(
            of_target("CARGO_TARGET_", &target, "_LINKER").to_uppercase(),
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER"
        );
    }
}
