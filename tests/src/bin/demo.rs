//! `cargo xtask demo [--devices N]`: a fleet on this one computer, until Ctrl-C.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use flotilla_protocol::API_PORT;
use flotilla_tests::demo::Demo;
use flotilla_tests::forward::Entrance;
use flotilla_tests::lab::{Lab, on};

fn main() -> Result<()> {
    let devices = devices(env::args().skip(1))?;
    let entrance = Entrance::open(API_PORT)?;
    say(format!("Starting {devices} devices with engines of their own…"));
    on(Lab::start(devices)?, async |lab| {
        let demo = Demo::start(lab, entrance.port()?, &mut say).await?;
        let address = &demo.control.ready()?.ui;
        say(format!("\nOpen {address}\n\nCtrl-C removes all of it."));
        show(address);
        tokio::select! {
            ended = entrance.forward() => ended,
            asked = tokio::signal::ctrl_c() => Ok(asked?),
        }
    })?;
    say("Everything is removed.".to_owned());
    Ok(())
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

/// Opens the page where there is a display.
fn show(address: &str) {
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
