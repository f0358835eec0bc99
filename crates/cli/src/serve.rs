//! `flotilla serve`: the control server in the foreground, until a signal.

use crate::{args::Serve, failure::Failure, out};
use flotilla_agent::{AgentConfig, EnrollmentSource, Exit};
use flotilla_control::{Control, ControlConfig, Ready, Ui};
use std::{io::IsTerminal, path::PathBuf};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
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
        local_agent(&control, stop.clone()).await
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

/// Makes this computer a device, enrolled like any other. Control is of use without it, so a failure is logged.
async fn local_agent(control: &Control, stop: CancellationToken) -> Option<JoinHandle<()>> {
    let enrollment = match control.local_enrollment().await {
        Ok(Some(config)) => EnrollmentSource::Config(Box::new(config)),
        Ok(None) => EnrollmentSource::None,
        Err(problem) => {
            tracing::error!(reason = %problem, "this computer can't become a device");
            return None;
        }
    };
    let config = AgentConfig::new(control.ready().data_dir.join("local-agent"), enrollment);
    Some(tokio::spawn(async move {
        let exit = flotilla_agent::run(config, stop).await;
        if exit != Exit::Stopped {
            tracing::error!(reason = %exit, "this computer's agent ended");
        }
    }))
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
