//! The compiler for the UI: one that has a standard library for wasm32.
//!
//! Usually that is the toolchain in use, after `rustup target add`. Where the target cannot be downloaded, Debian's
//! own compiler and library source stand in: std is built once and put beside that compiler.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::cargo::cargo;
use crate::checkout::Checkout;
use crate::process::{as_root, check_quietly, command, lookup_output};
use crate::step::{say, step};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";

/// A compiler that can build the UI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compiler {
    /// The toolchain in use.
    Chosen,
    /// Debian's own.
    Debian,
}

impl Compiler {
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
            .args(["--target", TARGET, "--target-dir"])
            .arg(checkout.cache.join("wasm"));
        Ok(command)
    }
}

pub(crate) fn lookup() -> Option<Compiler> {
    if has_std("rustc") {
        return Some(Compiler::Chosen);
    }
    has_std(DEBIAN_RUSTC).then_some(Compiler::Debian)
}

/// Finds such a compiler or makes one.
pub(crate) fn ensure(checkout: &Checkout) -> Result<Compiler> {
    if let Some(compiler) = lookup() {
        return Ok(compiler);
    }
    step("Getting the Rust library for the UI", || {
        let added = check_quietly(command("rustup").args(["target", "add", TARGET]));
        if added.is_err() && apt::offers("rust-web-src") {
            say("rustup has none; building it with Debian's compiler (about a minute)");
            build_for_debian(checkout)?;
        }
        lookup().with_context(|| format!("install it with: rustup target add {TARGET}"))
    })
}

fn has_std(rustc: &str) -> bool {
    let mut rustc = command(rustc);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    lookup_output(&mut rustc).is_some_and(|directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn build_for_debian(checkout: &Checkout) -> Result<()> {
    apt::install_packages(checkout, &["rustc-web", "rust-web-src"])?;
    let built = build_std(&checkout.cache.join("wasm-std"))?;
    // Moved into place whole: a compiler that finds half a library says nothing useful.
    let partial = format!("{DEBIAN_LIBRARY}.partial");
    check_quietly(as_root("rm").args(["-rf", &partial, DEBIAN_LIBRARY]))?;
    check_quietly(as_root("mkdir").args(["-p", &partial]))?;
    check_quietly(as_root("cp").args(&built).arg(&partial))?;
    check_quietly(as_root("mv").args([&partial, DEBIAN_LIBRARY]))
}

/// Builds the standard library as a dependency of an empty crate, and returns its files.
fn build_std(scratch: &Path) -> Result<Vec<PathBuf>> {
    const CRATE: &str = "stdwasm";
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    let manifest = format!("[package]\nname = \"{CRATE}\"\nedition = \"2021\"\n[workspace]\n");
    fs::write(scratch.join("Cargo.toml"), manifest)?;
    let mut cargo = cargo("build");
    cargo
        .current_dir(scratch)
        .args([
            "--quiet",
            "--release",
            "--target",
            TARGET,
            "--target-dir",
            "target",
        ])
        .arg("-Zbuild-std=std,panic_abort,panic_unwind")
        .env("PATH", path_with_linker()?)
        .env("RUSTC", DEBIAN_RUSTC)
        // Debian's compiler is a stable one; building std is not a stable feature.
        .env("RUSTC_BOOTSTRAP", "1")
        // Link-time optimization of the UI reaches into std.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    check_quietly(&mut cargo)?;
    let libraries = fs::read_dir(scratch.join("target").join(TARGET).join("release/deps"))?;
    let files = libraries.flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".rlib") && !name.starts_with(&format!("lib{CRATE}-"))
    });
    let files: Vec<_> = files.collect();
    if files.is_empty() {
        bail!("cargo built no library in {}", scratch.display());
    }
    Ok(files)
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
