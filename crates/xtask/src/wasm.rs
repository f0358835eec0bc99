//! The compiler for the UI: one that has the source of the standard library.
//!
//! The library is built together with the UI, for size and without the words of panics: a tenth less to load than with
//! the one that comes built. Usually the compiler is the toolchain in use. Where its source cannot be downloaded,
//! Debian's own compiler and library source stand in.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;
use crate::cargo::cargo;
use crate::checkout::Checkout;
use crate::process::{check_quietly, command, lookup_output};
use crate::step::{say, step};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const SOURCE: &str = "lib/rustlib/src/rust/library/Cargo.lock";

/// A panic stops the page without a word: the words, the places they name and the code that forms them are what nobody
/// reads, and more than a visitor should wait for.
const FLAGS: &str = "target.wasm32-unknown-unknown.rustflags=[\"-Zunstable-options\",\"-Cpanic=immediate-abort\",\
    \"-Zlocation-detail=none\",\"-Zfmt-debug=none\"]";

/// A compiler that can build the UI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compiler {
    /// The toolchain in use.
    Toolchain,
    /// Debian's own.
    Debian,
}

impl Compiler {
    /// What it says of itself: another version may make another bundle of the same sources.
    pub(crate) fn version(self) -> Result<String> {
        let rustc = match self {
            Self::Toolchain => "rustc",
            Self::Debian => DEBIAN_RUSTC,
        };
        lookup_output(command(rustc).arg("-vV")).with_context(|| format!("{rustc} has no version"))
    }

    /// Cargo for [`TARGET`]; nothing is shared with builds for the host, whose flags and compiler may differ.
    pub(crate) fn cargo(self, checkout: &Checkout, subcommand: &str) -> Result<Command> {
        let mut command = cargo(subcommand);
        if matches!(self, Self::Debian) {
            command
                .env("RUSTC", DEBIAN_RUSTC)
                .env("PATH", path_with_linker()?);
        }
        command
            .env_remove("RUSTFLAGS")
            // Neither building the library nor these flags are stable, and both compilers are.
            .env("RUSTC_BOOTSTRAP", "1")
            .args([
                "-Zbuild-std=std,panic_abort",
                "-Zbuild-std-features=optimize_for_size",
            ])
            .args(["--config", FLAGS, "--target", TARGET, "--target-dir"])
            .arg(checkout.cache.join("wasm"));
        Ok(command)
    }
}

pub(crate) fn lookup() -> Option<Compiler> {
    if has_source("rustc") {
        return Some(Compiler::Toolchain);
    }
    has_source(DEBIAN_RUSTC).then_some(Compiler::Debian)
}

/// Finds such a compiler or gets one.
pub(crate) fn ensure(checkout: &Checkout) -> Result<Compiler> {
    if let Some(compiler) = lookup() {
        return Ok(compiler);
    }
    step("Getting the Rust library for the UI", || {
        let added = check_quietly(command("rustup").args(["component", "add", "rust-src"]));
        if added.is_err() && apt::offers("rust-web-src") {
            say("rustup has none; installing Debian's compiler");
            apt::install_packages(checkout, &["rustc-web", "rust-web-src"])?;
        }
        lookup().context("install it with: rustup component add rust-src")
    })
}

pub(crate) fn has_source(rustc: &str) -> bool {
    let sysroot = lookup_output(command(rustc).args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| Path::new(&sysroot).join(SOURCE).exists())
}

/// PATH with the directory of rustup's `rust-lld`, which Debian's compiler expects to find there.
fn path_with_linker() -> Result<std::ffi::OsString> {
    let sysroot =
        lookup_output(command("rustc").args(["--print", "sysroot"])).context("rustc has no sysroot")?;
    let version = lookup_output(command("rustc").arg("-vV")).context("rustc has no version")?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(
        std::iter::once(linker).chain(env::split_paths(&path)),
    )?)
}
