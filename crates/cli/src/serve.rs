//! `flotilla serve`: the control server in the foreground, until a signal.

use crate::{args::Serve, failure::Failure, out};
use flotilla_agent::{log_to_stderr, run_embedded};
use flotilla_control::{Control, ControlConfig, Ready, Ui};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(crate) async fn run(data_dir: PathBuf, serve: Serve) -> Result<(), Failure> {
    log_to_stderr();
    // Registered from the start, so that an early signal is not lost.
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
    out::json_line(&ready(&control))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = control.stopped() => {}
    }
    stop.cancel();
    if let Some(agent) = agent {
        // An agent that ended by itself has logged why.
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
        relay_mbit_per_second: serve.relay_mbit,
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

/// What the ready line says, with a link that opens the user interface once, within 30 minutes.
fn ready(control: &Control) -> Ready {
    Ready {
        ui: control.start_url(),
        ..control.ready().clone()
    }
}
