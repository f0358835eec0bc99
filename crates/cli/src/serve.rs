//! `flotilla serve`: the control server in the foreground, until a signal.

use crate::{args::Serve, failure::Failure, out};
use flotilla_agent::run_embedded;
use flotilla_control::{Control, ControlConfig, Ready, Ui};
use std::{io::IsTerminal, path::PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

pub(crate) async fn run(data_dir: PathBuf, serve: Serve) -> Result<(), Failure> {
    log_to_stderr();
    // Listened to from the start: a signal that comes early is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let control = Control::start(config(data_dir, &serve)).await?;
    let stop = CancellationToken::new();
    let agent = if serve.local_agent {
        let enrollment = control.local_enrollment().await;
        let data_dir = control.ready().data_dir.clone();
        Some(tokio::spawn(run_embedded(data_dir, enrollment, stop.clone())))
    } else {
        None
    };
    out::line(&ready_line(&control)?)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = control.stopped() => {}
    }
    stop.cancel();
    if let Some(agent) = agent {
        // An agent that died has said why.
        let _ = agent.await;
    }
    control.shutdown().await;
    Ok(())
}

fn config(data_dir: PathBuf, serve: &Serve) -> ControlConfig {
    ControlConfig {
        data_dir,
        fleet_addr: serve.fleet_addr,
        api_addr: serve.api_addr,
        advertise: serve.advertise.clone(),
        agents_dir: serve.agents_dir.clone(),
        ui: serve.ui_dir.clone().map_or_else(built_in_ui, Ui::Dir),
    }
}

#[cfg(feature = "embedded-ui")]
fn built_in_ui() -> Ui {
    Ui::Embedded
}

#[cfg(not(feature = "embedded-ui"))]
fn built_in_ui() -> Ui {
    Ui::None
}

/// The ready line, with a code that opens the user interface once.
fn ready_line(control: &Control) -> Result<String, Failure> {
    let ready = Ready {
        ui: control.ui_url(),
        ..control.ready().clone()
    };
    Ok(serde_json::to_string(&ready).map_err(std::io::Error::other)?)
}

/// `RUST_LOG` decides what is logged; Flotilla's own news otherwise.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
