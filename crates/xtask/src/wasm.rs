//! The compiler for the UI, which has to have the source of the standard library.
//!
//! The library is compiled together with the UI, for size and without panic messages: the UI is a tenth smaller than
//! with the precompiled library. The compiler is the toolchain in use, or Debian's compiler where rustup cannot
//! download the source.

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

/// A panic stops the page without a message. Messages, source locations and the code that formats them would make the
/// download larger, and users do not see them.
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
    /// The version of the compiler. Another version may make another bundle of the same sources.
    pub(crate) fn version(self) -> Result<String> {
        let rustc = match self {
            Self::Toolchain => "rustc",
            Self::Debian => DEBIAN_RUSTC,
        };
        lookup_output(command(rustc).arg("-vV")).with_context(|| format!("{rustc} has no version"))
    }

    /// A command of cargo for [`TARGET`], with a target directory of its own: builds for the host may use other flags
    /// and another compiler.
    pub(crate) fn cargo(self, checkout: &Checkout, subcommand: &str) -> Result<Command> {
        let mut command = cargo(subcommand);
        if matches!(self, Self::Debian) {
            command
                .env("RUSTC", DEBIAN_RUSTC)
                .env("PATH", path_with_linker()?);
        }
        command
            .env_remove("RUSTFLAGS")
            // Building the standard library and these flags are unstable features, and both compilers are stable ones.
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

/// A compiler with the source; `None` where neither has it.
pub(crate) fn lookup() -> Option<Compiler> {
    if has_source("rustc") {
        return Some(Compiler::Toolchain);
    }
    has_source(DEBIAN_RUSTC).then_some(Compiler::Debian)
}

/// Finds a compiler with the source, or installs the source or Debian's compiler.
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

/// Whether a compiler has the source of the standard library.
pub(crate) fn has_source(rustc: &str) -> bool {
    let sysroot = lookup_output(command(rustc).args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| Path::new(&sysroot).join(SOURCE).exists())
}

/// `PATH` with the directory of rustup's `rust-lld` first, since Debian's compiler looks for that program on `PATH`.
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
