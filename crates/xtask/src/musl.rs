//! Linking agents with musl, for every processor that users have: where the Rust standard library, the C headers and
//! the C compiler for each are, and how they are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::architecture::{ARCHITECTURES, Architecture};
use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::musl_library;
use crate::process::{check_quietly, command, lookup_output};
use crate::step::{say, step};
use crate::unpack::{Origin, unpack};
use crate::wasm::DEBIAN_RUSTC;

/// The Debian release that the headers come from: its musl is the version that rustup's library is built with.
const SUITE: &str = "trixie";

/// Gets the library and the headers for the other processor where they are missing. The compiler is one of the packages
/// of [`crate::need`].
pub(crate) fn ensure(checkout: &Checkout) -> Result<()> {
    for architecture in ARCHITECTURES.iter().filter(|other| !other.is_native()) {
        ensure_library(checkout, architecture)?;
        ensure_headers(checkout, architecture)?;
    }
    Ok(())
}

/// `cargo build` for the musl target of this architecture; `flags` are for rustc.
pub(crate) fn cargo_build(
    checkout: &Checkout,
    architecture: &Architecture,
    profile: Profile,
    flags: &[String],
) -> Result<Command> {
    let target = architecture.musl();
    let mut flags = flags.to_vec();
    let mut command = cargo::cargo("build");
    command.args(["--profile", profile.name(), "--target", &target]);
    if let Library::Debian(sysroot) = ensure_library(checkout, architecture)? {
        flags.push(format!("--sysroot={}", sysroot.display()));
        // Each compiler needs a target directory of its own.
        command
            .env("RUSTC", DEBIAN_RUSTC)
            .env("CARGO_TARGET_DIR", checkout.target.join("debian-rustc"));
    }
    // Where `--target` is given, these flags do not apply to build scripts and macros.
    command
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if architecture.is_native() {
        command.env(variable_of_target("CC_", &target, ""), "musl-gcc");
    } else {
        let compiler = architecture.gcc("gcc");
        let headers = ensure_headers(checkout, architecture)?;
        command.env(
            variable_of_target("CFLAGS_", &target, ""),
            cross_flags(&compiler, &headers)?,
        );
        command.env(variable_of_target("AR_", &target, ""), architecture.gcc("ar"));
        let linker = variable_of_target("CARGO_TARGET_", &target, "_LINKER").to_uppercase();
        command.env(linker, &compiler);
        command.env(variable_of_target("CC_", &target, ""), compiler);
    }
    Ok(command)
}

/// Where the standard library is.
enum Library {
    /// In the toolchain in use.
    Toolchain,
    /// In this sysroot, for Debian's compiler.
    Debian(PathBuf),
}

fn ensure_library(checkout: &Checkout, architecture: &Architecture) -> Result<Library> {
    let target = architecture.musl();
    let is_there = || {
        let directory =
            lookup_output(command("rustc").args(["--print", "target-libdir", "--target", &target]));
        directory.is_some_and(|directory| Path::new(&directory).join("self-contained").exists())
    };
    if is_there() {
        return Ok(Library::Toolchain);
    }
    if let Some(sysroot) = musl_library::lookup(checkout, architecture) {
        return Ok(Library::Debian(sysroot));
    }
    let added = step(&format!("Getting the Rust library for {target}"), || {
        check_quietly(command("rustup").args(["target", "add", &target]))
    });
    match added {
        Ok(()) if is_there() => Ok(Library::Toolchain),
        _ => {
            say("rustup has none; building it with Debian's compiler");
            musl_library::build(checkout, architecture).map(Library::Debian)
        }
    }
}

/// The folder of musl's headers for this architecture, which is downloaded where it is missing. C code must not be
/// compiled with the cross compiler's headers of glibc, and apt cannot install musl's for another processor beside the
/// system's.
fn ensure_headers(checkout: &Checkout, architecture: &Architecture) -> Result<PathBuf> {
    let name = architecture.name;
    let own = checkout.cache.join("musl-headers").join(name);
    let elsewhere = [
        format!("/usr/{name}-linux-musl/include"),
        format!("/usr/lib/{name}-linux-musl-include"),
    ];
    let mut places = std::iter::once(own.clone()).chain(elsewhere.map(PathBuf::from));
    if let Some(there) = places.find(|place| place.join("features.h").exists()) {
        return Ok(there);
    }
    step(&format!("Fetching the headers of musl for {name}"), || {
        let origin = Origin {
            suite: SUITE,
            architecture: Some(architecture.engine),
        };
        let scratch = own.with_extension("partial");
        let root = unpack("musl-dev", origin, &scratch)?;
        fs::rename(root.join(format!("usr/include/{name}-linux-musl")), &own)?;
        Ok(fs::remove_dir_all(scratch)?)
    })?;
    Ok(own)
}

fn cross_flags(compiler: &str, headers: &Path) -> Result<String> {
    let library = lookup_output(command(compiler).arg("-print-libgcc-file-name"));
    let library = library.with_context(|| format!("`{compiler}` is not there: run `cargo xtask setup`"))?;
    let own = Path::new(&library).with_file_name("include");
    if !own.exists() {
        bail!("`{compiler}` has no headers of its own in {}", own.display());
    }
    Ok(format!(
        "-nostdinc -isystem {} -isystem {} -U_FORTIFY_SOURCE",
        headers.display(),
        own.display()
    ))
}

/// The name of an environment variable for one target.
pub(crate) fn variable_of_target(prefix: &str, target: &str, suffix: &str) -> String {
    format!("{prefix}{}{suffix}", target.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_for_a_target_are_spelled_as_cargo_and_cc_read_them() {
        let target = ARCHITECTURES[0].musl();
        assert_eq!(
            variable_of_target("CC_", &target, ""),
            "CC_x86_64_unknown_linux_musl"
        );
        assert_eq!(
            variable_of_target("CARGO_TARGET_", &target, "_LINKER").to_uppercase(),
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER"
        );
    }
}
