//! `cargo xtask setup`: installs what builds and tests need. What is there is not installed again, so a second run takes a
//! second.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::need::{ALL_PURPOSES, NEEDS, Need, Purpose};
use crate::process::{check, command, lookup_output};
use crate::step::{say, seconds, side_by_side, step};
use crate::{apt, cargo, lab, musl, wasm};

/// A cargo subcommand that the checks use, and the version with which they passed.
struct Tool {
    package: &'static str,
    subcommand: &'static str,
    version: &'static str,
}

const NEXTEST: Tool = Tool {
    package: "cargo-nextest",
    subcommand: "nextest",
    version: "0.9.143",
};
const DENY: Tool = Tool {
    package: "cargo-deny",
    subcommand: "deny",
    version: "0.20.2",
};

/// Installs everything that `run` needs, and with `test` everything that tests need.
pub(crate) fn setup(checkout: &Checkout, test: bool) -> Result<()> {
    let begun = Instant::now();
    if test {
        packages(checkout, &ALL_PURPOSES)?;
        wasm::ensure(checkout)?;
        // Compiling keeps the processors busy, fetching the line.
        side_by_side(
            || {
                NEXTEST.ensure()?;
                DENY.ensure()?;
                lab::ensure_peers(checkout)
            },
            || {
                lab::ensure_compose(checkout)?;
                musl::ensure(checkout)?;
                lab::ensure_rootfs(checkout)?;
                lab::ensure_engine(checkout)
            },
        )?;
    } else {
        desktop(checkout)?;
    }
    say(&format!("This machine is ready ({}).", seconds(begun.elapsed())));
    Ok(())
}

/// Installs what every build needs: a C compiler, node and the wasm target.
pub(crate) fn build(checkout: &Checkout) -> Result<()> {
    packages(checkout, &[Purpose::Build])?;
    wasm::ensure(checkout).map(drop)
}

/// Installs that, and what the desktop app is built with.
pub(crate) fn desktop(checkout: &Checkout) -> Result<()> {
    build(checkout)?;
    packages(checkout, &[Purpose::Desktop])
}

/// Installs what agents for every processor are built with.
pub(crate) fn agents(checkout: &Checkout) -> Result<()> {
    packages(checkout, &[Purpose::Agents])?;
    musl::ensure(checkout)
}

/// Installs what machines in namespaces need.
pub(crate) fn lab(checkout: &Checkout) -> Result<()> {
    build(checkout)?;
    packages(checkout, &[Purpose::Lab])?;
    lab::ensure_compose(checkout)
}

/// Installs that, and the other WireGuard programs.
pub(crate) fn lab_with_peers(checkout: &Checkout) -> Result<()> {
    lab(checkout)?;
    lab::ensure_peers(checkout)
}

fn packages(checkout: &Checkout, purposes: &[Purpose]) -> Result<()> {
    let asked = NEEDS.iter().filter(|need| purposes.contains(&need.purpose));
    let missing: Vec<&Need> = asked.filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt::install(checkout, &missing)?;
    let left: Vec<_> = missing
        .iter()
        .filter(|need| !need.is_met())
        .map(|need| need.described())
        .collect();
    if !left.is_empty() {
        bail!("installed, yet not found: {}", left.join(", "));
    }
    Ok(())
}

impl Tool {
    /// Builds the tool from source where it is missing. An installed one is used whatever its version.
    fn ensure(&self) -> Result<()> {
        if lookup_output(cargo::cargo(self.subcommand).arg("--version")).is_some() {
            return Ok(());
        }
        let Self { package, version, .. } = self;
        step(&format!("Installing {package} {version} (some minutes)"), || {
            // With the versions in the tool's lock file; where the registry lacks one of them, with those that it has.
            let install = |locked: &[&str]| {
                let mut cargo = command("cargo");
                cargo.env_remove("CARGO_TARGET_DIR").args(["install", "--quiet"]);
                check(cargo.args(locked).args([package, "--version", version]))
            };
            install(&["--locked"])
                .or_else(|_| install(&[]))
                .with_context(|| format!("install it by hand: cargo install {package} --version {version}"))
        })
    }
}
