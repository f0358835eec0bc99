//! `cargo xtask demo [--devices N]`: a fleet on this one computer, until Ctrl-C.

use std::env;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use flotilla_protocol::API_PORT;
use flotilla_tests::demo::Demo;
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::port_forward::PortForward;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

fn main() -> Result<()> {
    let devices = devices(env::args().skip(1))?;
    let stop = stop_flag()?;
    let outcome = show_fleet(devices, &stop);
    if stop.load(Relaxed) {
        say("Everything is removed.".to_owned());
        return Ok(());
    }
    outcome
}

/// Becomes true when a signal asks this program to end. Registered before anything starts, so that Ctrl-C during the
/// start also removes what has been started.
fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

fn show_fleet(devices: u8, stop: &AtomicBool) -> Result<()> {
    let entrance = PortForward::open(API_PORT)?;
    say(format!("Starting {devices} devices with engines of their own…"));
    on(Lab::start(devices)?, async |lab| {
        let shown = async {
            let mut setup = ControlSetup::new(lab)?.with_ui()?;
            // Control serves pages under its own address only, so it must have the port that the browser uses.
            let address = format!("127.0.0.1:{}", entrance.port()?);
            setup.arguments.extend(["--api-addr".to_owned(), address]);
            let demo = Demo::start(lab, setup, &mut say).await?;
            let address = &demo.control.ready()?.ui;
            say(format!("\nOpen {address}\n\nCtrl-C removes all of it."));
            open_page(address);
            entrance.forward().await
        };
        let outcome = tokio::select! {
            outcome = shown => outcome,
            () = until(stop) => Ok(()),
        };
        // Ctrl-C ends the engines as well; an error that follows from that is none.
        outcome.or_else(|error| stop.load(Relaxed).then_some(()).ok_or(error))
    })
}

async fn until(stop: &AtomicBool) {
    let mut poll = tokio::time::interval(Duration::from_millis(100));
    while !stop.load(Relaxed) {
        poll.tick().await;
    }
}

fn devices(mut arguments: impl Iterator<Item = String>) -> Result<u8> {
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(3),
        (Some("--devices"), Some(number)) => {
            let number = number.parse().ok().filter(|number| (1..=9).contains(number));
            number.context("--devices takes a number from 1 to 9")
        }
        (Some(other), _) => bail!("unknown argument {other}; there is --devices N"),
    }
}

/// Opens the page in a browser where there is a display.
fn open_page(address: &str) {
    if ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some())
    {
        let quiet = || Stdio::null();
        Command::new("xdg-open")
            .arg(address)
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet())
            .spawn()
            .ok();
    }
}

#[expect(clippy::print_stdout, reason = "a terminal program")]
fn say(text: String) {
    println!("{text}");
}
