//! `flotilla-agent`: the agent as a program.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]

use clap::{Parser, Subcommand};
use flotilla_agent::{
    AgentConfig, CONFIG_FILE, Destination, EnrollmentSource, Environment, Exit, InstallError, Move, RunAs,
    STATE_DIR, TUN_NAME, carry_out, install, log_to_stderr, pause, relay, run, status, uninstall,
};
use flotilla_protocol::text::shown;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The Flotilla agent of this device.
#[derive(Parser)]
#[command(name = "flotilla-agent", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enrolls this device if need be, then keeps it linked to its control
    Run {
        /// The config file that Add Device made [default: /etc/flotilla/device.toml, if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Where the device's keys and certificate are kept
        #[arg(long, value_name = "DIR", env = "FLOTILLA_STATE_DIR", default_value = STATE_DIR)]
        state_dir: PathBuf,
        /// Name of the mesh's network interface
        #[arg(long, value_name = "NAME", default_value = TUN_NAME)]
        tun_name: String,
    },
    /// Tells how the agent on this device fares
    Status {
        #[arg(long)]
        json: bool,
        #[arg(long, value_name = "DIR", env = "FLOTILLA_STATE_DIR", default_value = STATE_DIR)]
        state_dir: PathBuf,
    },
    /// Passes sealed packets on for the other devices of this device's fleet
    Relay {
        /// UDP and TCP address to listen on
        #[arg(long, value_name = "ADDR")]
        listen: SocketAddr,
        #[arg(long, value_name = "DIR", env = "FLOTILLA_STATE_DIR", default_value = STATE_DIR)]
        state_dir: PathBuf,
    },
    /// Installs this program as a systemd service and starts it
    Install {
        /// Run the service as root instead of the user flotilla
        #[arg(long)]
        as_root: bool,
        /// The config file to enroll with (- is standard input); the program, its user and this file are put in place, too
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Stops and removes the systemd service; the device's state is kept
    Uninstall,
    /// Holds the network of a pod until it is told to stop
    Pause,
    /// Moves the agent's container into another network, in a container of its own
    #[command(hide = true)]
    Move {
        #[arg(long, value_name = "host|bridge|pause|pause:ID|again")]
        to: Destination,
        /// Id of the agent's container
        agent: String,
        /// Ids of containers that go with it
        members: Vec<String>,
        /// Id of one of these that does not run
        #[arg(long, value_name = "ID")]
        stopped: Vec<String>,
    },
    /// Prints the version
    Version,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run {
            config,
            state_dir,
            tun_name,
        } => {
            let config = AgentConfig {
                tun_name,
                ..AgentConfig::new(state_dir, source(config))
            };
            run_until_signal(async move |shutdown| run(config, shutdown).await)
        }
        Command::Relay { listen, state_dir } => {
            run_until_signal(async move |shutdown| relay(&state_dir, listen, shutdown).await)
        }
        Command::Status { json, state_dir } => show_status(&state_dir, json),
        Command::Install { as_root, config } => {
            let run_as = if as_root { RunAs::Root } else { RunAs::Flotilla };
            done(install(run_as, config.as_deref()))
        }
        Command::Uninstall => done(uninstall()),
        Command::Pause => run_until_signal(pause),
        Command::Move {
            to,
            agent,
            members,
            stopped,
        } => {
            let order = Move {
                to,
                agent,
                members,
                stopped,
            };
            run_until_signal(async move |_| move_agent(&order).await)
        }
        Command::Version => {
            println!("flotilla-agent {}", flotilla_agent::VERSION);
            ExitCode::SUCCESS
        }
    }
}

fn run_until_signal(work: impl AsyncFnOnce(CancellationToken) -> Exit) -> ExitCode {
    log_to_stderr();
    // One thread is enough for an agent that mostly waits, and keeps it small.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("The agent cannot start: {error}.")),
    };
    let exit = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        tokio::spawn(cancel_on_signal(shutdown.clone()));
        work(shutdown).await
    });
    match &exit {
        Exit::Stopped => tracing::info!("stopped"),
        exit => tracing::error!(exit.code = exit.code(), reason = %exit, "the agent ends"),
    }
    ExitCode::from(exit.code())
}

/// Moves the agent's container and prints why it could not; the agent that runs afterwards reads what is printed.
async fn move_agent(order: &Move) -> Exit {
    match carry_out(order).await {
        Ok(None) => Exit::Stopped,
        Ok(Some(problem)) => {
            tracing::error!(reason = %problem, "the agent was not moved");
            println!("{}", serde_json::to_string(&problem).unwrap_or_default());
            Exit::Stopped
        }
        Err(exit) => exit,
    }
}

/// The source of the enrollment. One named by flag or environment wins over the file at the usual path.
fn source(config: Option<PathBuf>) -> EnrollmentSource {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let environment = Environment {
        url: variable("FLOTILLA_ENROLL_URL"),
        token: variable("FLOTILLA_TOKEN"),
        ca_pin: variable("FLOTILLA_CA_PIN"),
    };
    match config {
        Some(path) => EnrollmentSource::File(path),
        None if !environment.is_empty() => EnrollmentSource::Environment(environment),
        None if Path::new(CONFIG_FILE).exists() => EnrollmentSource::File(CONFIG_FILE.into()),
        None => EnrollmentSource::None,
    }
}

async fn cancel_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    shutdown.cancel();
}

fn show_status(state_dir: &Path, json: bool) -> ExitCode {
    match status(state_dir) {
        Ok(status) if json => match serde_json::to_string(&status) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => failed(&error.to_string()),
        },
        Ok(status) => {
            // The status quotes the engine, control and other devices.
            for line in status.to_string().lines() {
                println!("{}", shown(line, usize::MAX));
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.to_string()),
    }
}

fn done(result: Result<(), InstallError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(reason: &str) -> ExitCode {
    eprintln!("flotilla-agent: {}", shown(reason, usize::MAX));
    ExitCode::FAILURE
}
