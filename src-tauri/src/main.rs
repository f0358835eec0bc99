//! The desktop shell: a window and a tray around control and the embedded agent.
//!
//! The window shows control's own loopback page, so there is one origin and one user interface for window and browser.
//! The shell starts control and this computer's agent, keeps them running in the tray, notifies the person when a
//! device comes online, and drains everything at the end. It decides nothing about the fleet.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod awaited;
mod downloads;
mod local_control;
mod options;
mod shell;
mod start_trouble;
mod system_agent;
mod tray;
mod window;

use clap::Parser;
use options::Options;
use shell::Shell;
use std::process::ExitCode;
use tauri::{RunEvent, async_runtime};

fn main() -> ExitCode {
    let options = Options::parse();
    flotilla_agent::log_to_stderr();
    let built = tauri::Builder::default()
        // First, so that a second start only shows the window of the first.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)))
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .setup(move |app| Ok(Shell::open(app.handle(), options)?))
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "the window system can't be used; run `flotilla serve` to go without a window");
            return ExitCode::FAILURE;
        }
    };
    app.run(|app, event| {
        if let RunEvent::Exit = event {
            async_runtime::block_on(Shell::close(app));
        }
    });
    ExitCode::SUCCESS
}
