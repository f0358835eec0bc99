//! `cargo xtask run`: builds and starts Flotilla, as the desktop app where there is a display, else as a server.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::process::{become_program, command};
use crate::step::{say, side_by_side, step};
use crate::{agent, setup, ui};

pub(crate) fn run(checkout: &Checkout, headless: bool) -> Result<ExitCode> {
    let window = !headless && has_display();
    match window {
        true => setup::desktop(checkout)?,
        false => setup::build(checkout)?,
    }
    // The end of the UI's build occupies one processor only.
    let bundle = || ui::bundle(checkout);
    if window {
        let programs = || {
            let agents = agent::build(checkout, Profile::App)?;
            let app = step("Building the app", || {
                cargo::build_program("flotilla-desktop", "flotilla-desktop", Profile::App)
            })?;
            Ok((agents, app))
        };
        let ((), (agents, app)) = side_by_side(bundle, programs)?;
        let mut app = command(app);
        app.env("FLOTILLA_UI_DIR", checkout.ui_dist())
            .env("FLOTILLA_AGENTS_DIR", &agents);
        return Err(become_program(&mut app));
    }
    let programs = || agent::build_with_server(checkout, Profile::App);
    let ((), (agents, server)) = side_by_side(bundle, programs)?;
    let mut serve = command(server);
    serve
        .args(["serve", "--local-agent", "--ui-dir"])
        .arg(checkout.ui_dist())
        .arg("--agents-dir")
        .arg(&agents);
    run_server(&mut serve)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Runs the server, prints the address of its UI, and forwards signals that ask this command to stop.
fn run_server(serve: &mut Command) -> Result<ExitCode> {
    // In a process group of its own, so that Ctrl-C reaches it only through this process and not also from the
    // terminal.
    let mut server = serve
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let stop_forwarding = forward_signals(&server)?;
    let lines = BufReader::new(server.stdout.take().context("the server has no output")?).lines();
    let program = serve.get_program().display().to_string();
    for line in lines.map_while(Result::ok) {
        println!("{line}");
        if let Some(address) = address_of_ready_line(&line) {
            say(&format!("Flotilla is running. Open {address}"));
            say(&format!(
                "The link works once, within 30 minutes; `{program} open --print` gives another."
            ));
            say("Ctrl-C stops it.");
        }
    }
    let status = server.wait()?;
    stop_forwarding.close();
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn forward_signals(server: &Child) -> Result<signal_hook::iterator::Handle> {
    let server = i32::try_from(server.id())
        .ok()
        .and_then(Pid::from_raw)
        .context("the server has no id")?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // An error means that the server has ended already.
            kill_process(server, Signal::TERM).ok();
        }
    });
    Ok(handle)
}

fn address_of_ready_line(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let address = (event["event"] == "ready").then(|| event["ui"].as_str())?;
    address.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_taken_from_the_ready_line_only() {
        let ready = r#"{"event":"ready","ui":"http://127.0.0.1:7440/#code=x"}"#;
        assert_eq!(
            address_of_ready_line(ready).as_deref(),
            Some("http://127.0.0.1:7440/#code=x")
        );
        assert_eq!(address_of_ready_line(r#"{"event":"other","ui":"x"}"#), None);
        assert_eq!(address_of_ready_line("not JSON"), None);
    }

    #[test]
    fn the_status_of_the_server_is_the_status_of_the_command() {
        assert_eq!(
            run_server(command("sh").args(["-c", "exit 5"])).unwrap(),
            ExitCode::from(5)
        );
    }
}
