//! The developer commands: `cargo xtask setup|run|test|ui|demo|soak|bench|dist`.
//!
//! Each command is one file, and installs what it lacks before it works, so that no command has to be run before
//! another. This crate imports none of ours: it calls cargo, npm and apt, and packs what they make. Progress goes to
//! stderr; stdout carries only results (the UI's address, figures, test counts).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]

mod agent;
mod apt;
mod architecture;
mod artifacts;
mod bench;
mod bundle;
mod cached_bundle;
mod cargo;
mod checkout;
mod demo;
mod dist;
mod icons;
mod image;
mod lab;
mod musl;
mod musl_library;
mod need;
mod npm;
mod process;
mod report;
mod run;
mod scripts;
mod setup;
mod simulation;
mod sizes;
mod soak;
mod split;
mod step;
mod test;
mod ui;
mod unpack;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::checkout::Checkout;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Developer commands of Flotilla"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what building and running need
    Setup {
        /// Also what the tests need: engines, browser, lab packages
        #[arg(long)]
        test: bool,
    },
    /// Build everything and start Flotilla: a window where there is a display, else a server
    Run {
        /// Start the server even where there is a display
        #[arg(long)]
        headless: bool,
    },
    /// Everything CI checks, or one part of it
    Test(test::Selection),
    /// Build the UI bundle into `ui/dist`
    Ui,
    /// Write the glyphs that the UI uses into its source
    Icons,
    /// A fleet of devices with real engines on this one machine, until Ctrl-C
    Demo {
        #[arg(long, default_value_t = 3)]
        devices: u8,
    },
    /// The long versions of what CI runs short
    Soak { name: Option<String> },
    /// Figures beside a comparator, one JSON line each
    Bench { name: Option<String> },
    /// Release artifacts
    Dist,
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    let checkout = Checkout::find()?;
    match command {
        Command::Setup { test } => setup::setup(&checkout, test)?,
        Command::Run { headless } => return run::run(&checkout, headless),
        Command::Test(selection) => return test::test(&checkout, &selection),
        Command::Ui => ui::build(&checkout)?,
        Command::Icons => icons::write(&checkout)?,
        Command::Demo { devices } => demo::demo(&checkout, devices)?,
        Command::Soak { name } => soak::soak(&checkout, name.as_deref())?,
        Command::Bench { name } => bench::bench(&checkout, name.as_deref())?,
        Command::Dist => dist::dist(&checkout)?,
    }
    Ok(ExitCode::SUCCESS)
}
