//! `flotilla`: the control server without a window, and every action of the user interface from a terminal.
//!
//! Tables with ages for people, `--json` for programs. Answers go to standard output; everything else goes to
//! standard error, and the exit code says which kind of failure it was (see [`failure`]).

mod act;
mod activity;
mod address;
mod age;
mod args;
mod clock;
mod device;
mod failure;
mod jobs;
mod lifetime;
mod list;
mod logs;
mod open;
mod out;
mod paths;
mod policy;
mod serve;
mod show;
mod table;
mod token;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use flotilla_client::{Client, data_dir};
use flotilla_protocol::inventory::ContainerAction;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure.lines());
            failure.exit_code()
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let data_dir = data_dir(args.data_dir)?;
    let client = || Client::from_env(&data_dir);
    match args.command {
        Command::Serve(serve) => serve::run(data_dir, serve).await,
        Command::Open(arguments) => open::run(&client()?, &data_dir, arguments).await,
        Command::Device { command } => device::run(&client()?, command).await,
        Command::Containers(list) => list::containers(&client()?, list).await,
        Command::Stacks(list) => list::stacks(&client()?, list).await,
        Command::Images(list) => list::images(&client()?, list).await,
        Command::Volumes(list) => list::volumes(&client()?, list).await,
        Command::Networks(list) => list::networks(&client()?, list).await,
        Command::Paths(list) => paths::run(&client()?, list).await,
        Command::Activity(activity) => activity::run(&client()?, activity).await,
        Command::Policy { command } => policy::run(&client()?, command).await,
        Command::Token { command } => token::run(&client()?, command).await,
        Command::Address { command } => address::run(&client()?, command).await,
        Command::Start(containers) => act::run(&client()?, containers, ContainerAction::Start).await,
        Command::Stop(containers) => act::run(&client()?, containers, ContainerAction::Stop).await,
        Command::Restart(containers) => act::run(&client()?, containers, ContainerAction::Restart).await,
        Command::Pause(containers) => act::run(&client()?, containers, ContainerAction::Pause).await,
        Command::Unpause(containers) => act::run(&client()?, containers, ContainerAction::Unpause).await,
        Command::Kill(containers) => act::run(&client()?, containers, ContainerAction::Kill).await,
        Command::Recreate(recreation) => act::recreate(&client()?, recreation).await,
        Command::Rm(removal) => act::remove(&client()?, removal).await,
        Command::Logs(arguments) => logs::run(&client()?, arguments).await,
        Command::Jobs(arguments) => jobs::list(&client()?, arguments).await,
        Command::Job { command } => jobs::run(&client()?, command).await,
        Command::Pod { command } => act::place(&client()?, command).await,
    }
}
