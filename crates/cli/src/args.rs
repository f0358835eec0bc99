//! The grammar of the command line.

mod activity;
mod job;
mod log;
mod token;

pub(crate) use activity::{Activity, ExportFormat};
pub(crate) use job::{Containers, Detach, JobCommand, Jobs, PodCommand, Recreation, Removal};
pub(crate) use log::{Logs, StackName};
pub(crate) use token::{CreateToken, TokenCommand};

use crate::lifetime::Lifetime;
use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use flotilla_protocol::{
    agent::RELAY_MBIT_PER_SECOND,
    device::{NetworkMode, RelayPreference},
    endpoint::Endpoint,
    name::{DeviceName, InvalidName, Tag},
    policy::Proto,
};
use std::{net::SocketAddr, path::PathBuf, str::FromStr};

/// Manage a fleet of container hosts from this computer.
#[derive(Debug, Parser)]
#[command(name = "flotilla", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Where Flotilla keeps its data [default: FLOTILLA_DATA_DIR, else the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the control server until it is told to stop
    Serve(Serve),
    /// Sign a browser in to the controller that runs here
    Open(Open),
    /// Add, list and change devices
    Device {
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// List the containers of all devices
    #[command(alias = "ps")]
    Containers(List),
    /// List the Compose projects of all devices
    Stacks(List),
    /// List the images of all devices
    Images(List),
    /// List the volumes of all devices
    Volumes(List),
    /// List the networks of all devices
    Networks(List),
    /// List how devices reach each other on the mesh, and why so
    Paths(List),
    /// List who changed what, newest first
    Activity(Activity),
    /// Read, replace and ask the access policy
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Make, list and revoke tokens with which programs call the API
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// List, add and remove addresses at which devices find this controller
    Address {
        #[command(subcommand)]
        command: AddressCommand,
    },
    /// Start containers
    Start(Containers),
    /// Stop containers
    Stop(Containers),
    /// Restart containers
    Restart(Containers),
    /// Pause containers: their processes stand still and keep what they hold
    Pause(Containers),
    /// Let paused containers go on
    Unpause(Containers),
    /// End containers at once, without asking their processes to
    Kill(Containers),
    /// Recreate a container where it is, with all that it has; if the new one does not get well, the old one is back
    Recreate(Recreation),
    /// Remove containers that do not run; what they wrote outside of volumes, and their logs, are lost
    Rm(Removal),
    /// Print what containers wrote
    Logs(Logs),
    /// List what takes long: jobs that are not over, and the last ones that are
    Jobs(Jobs),
    /// Show, follow and end a job
    Job {
        #[command(subcommand)]
        command: JobCommand,
    },
    /// Put containers into the pod of their device, and take them out
    Pod {
        #[command(subcommand)]
        command: PodCommand,
    },
}

#[derive(Debug, Arguments)]
pub(crate) struct Serve {
    /// Where devices connect (TLS); port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:7443")]
    pub(crate) fleet_addr: SocketAddr,
    /// Where the UI and these commands connect; this computer only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7440")]
    pub(crate) api_addr: SocketAddr,
    /// An address at which devices reach this computer; may be repeated, best first
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) advertise: Vec<Endpoint>,
    /// Make this computer a device of its own fleet
    #[arg(long)]
    pub(crate) local_agent: bool,
    /// Mbit/s that this computer passes on for devices that cannot reach each other
    #[arg(long, value_name = "N", default_value_t = RELAY_MBIT_PER_SECOND, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) relay_mbit: u32,
    /// Folder of the agents that devices download
    #[arg(long, value_name = "DIR", env = "FLOTILLA_AGENTS_DIR")]
    pub(crate) agents_dir: Option<PathBuf>,
    /// Folder of the built user interface
    #[arg(long, value_name = "DIR", env = "FLOTILLA_UI_DIR")]
    pub(crate) ui_dir: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Open {
    /// Print the link instead of opening it; it works once, for a minute
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Add a device and print what to run on it
    Add(Add),
    /// List devices
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show everything known of one device
    Show {
        name: String,
        #[arg(long)]
        json: bool,
    },
    /// End a device's trust at once; its row stays
    Revoke { name: String },
    /// Make a new command for a device, which replaces its certificate
    Rotate(Rotate),
    /// Forget a device that is pending or revoked
    Remove { name: String },
    /// Add (+TAG) and remove (-TAG) tags
    Tag {
        name: String,
        #[arg(required = true, allow_hyphen_values = true, value_name = "+TAG|-TAG")]
        changes: Vec<TagEdit>,
    },
    /// Say when a device's mesh traffic goes through a relay: auto, always or never
    Relay {
        name: String,
        preference: RelayPreference,
    },
    /// Change what of a device the mesh can reach; prints what to run on it where its agent can't move by itself
    Mode(Mode),
    /// Keep host networking on Docker Desktop, where it reaches the virtual machine and not the computer
    KeepHost { name: String },
    /// Say that a device is one machine: a second one that was seen is forgotten, and its machine id may change
    Vouch { name: String },
    /// Install a device's agent over SSH, with your own keys
    Push(Push),
    /// Give a device another name
    Rename { name: String, new: DeviceName },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddressCommand {
    /// List addresses, and try whether they lead here
    List {
        #[arg(long)]
        json: bool,
    },
    /// Tell devices an address, such as a router's public one
    Add {
        #[arg(value_name = "HOST:PORT")]
        address: Endpoint,
    },
    /// Tell devices an added address no more
    Remove {
        #[arg(value_name = "HOST:PORT")]
        address: Endpoint,
    },
}

#[derive(Debug, Arguments)]
pub(crate) struct Push {
    pub(crate) name: String,
    /// A name of your ssh configuration, or [user@]host[:port]
    #[arg(required_unless_present = "end")]
    pub(crate) host: Option<String>,
    /// Run the agent as root instead of the user "flotilla"
    #[arg(long)]
    pub(crate) as_root: bool,
    /// Don't install Docker when no container engine is found
    #[arg(long)]
    pub(crate) skip_docker: bool,
    /// End a push that runs, and the SSH tunnel of one that is done
    #[arg(long, conflicts_with_all = ["host", "as_root", "skip_docker"])]
    pub(crate) end: bool,
    #[command(flatten)]
    pub(crate) detach: Detach,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the policy in force as JSON
    Get,
    /// Replace the policy by a file's, whole or not at all
    Set {
        /// A JSON document; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Run the tests of the policy in force, or of a file before it is set
    Test {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Say whether one device may reach another, and by which rule
    Explain {
        from: String,
        to: String,
        /// tcp/22, udp/53, icmp or any
        #[arg(value_name = "PROTO/PORT")]
        flow: Flow,
    },
}

/// `PROTO/PORT`, or `PROTO` alone for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) proto: Proto,
    pub(crate) port: Option<u16>,
}

/// The text is not `PROTO/PORT`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidFlow {
    #[error("\"{0}\" is not a protocol. Write tcp, udp, icmp or any.")]
    Proto(String),
    #[error("{0} has no ports: leave the port away")]
    NoPorts(Proto),
    #[error("write a port from 1 to 65535, for example tcp/22")]
    Port,
}

impl FromStr for Flow {
    type Err = InvalidFlow;

    fn from_str(text: &str) -> Result<Self, InvalidFlow> {
        let (proto, port) = text
            .split_once('/')
            .map_or((text, None), |(proto, port)| (proto, Some(port)));
        let proto: Proto = proto.parse().map_err(|_| InvalidFlow::Proto(proto.to_owned()))?;
        let Some(port) = port else {
            return Ok(Self { proto, port: None });
        };
        if !proto.has_ports() {
            return Err(InvalidFlow::NoPorts(proto));
        }
        match port.parse() {
            Ok(port @ 1..) => Ok(Self {
                proto,
                port: Some(port),
            }),
            _ => Err(InvalidFlow::Port),
        }
    }
}

#[derive(Debug, Arguments)]
pub(crate) struct Add {
    /// A name for the device; two words are chosen when it is left out
    pub(crate) name: Option<DeviceName>,
    /// What of the device the mesh can reach: host, bridge or pause
    #[arg(long, default_value = "host")]
    pub(crate) mode: NetworkMode,
    /// When its mesh traffic goes through a relay: auto, always or never
    #[arg(long, default_value = "auto")]
    pub(crate) relay: RelayPreference,
    /// A tag for the device; may be repeated
    #[arg(long = "tag", value_name = "T")]
    pub(crate) tags: Vec<Tag>,
    #[command(flatten)]
    pub(crate) token: Token,
}

#[derive(Debug, Arguments)]
pub(crate) struct Rotate {
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) token: Token,
}

#[derive(Debug, Arguments)]
pub(crate) struct Mode {
    pub(crate) name: String,
    /// host, bridge or pause
    pub(crate) mode: NetworkMode,
    #[command(flatten)]
    pub(crate) token: Token,
    #[command(flatten)]
    pub(crate) detach: Detach,
}

/// How long the token lives, and what is printed of it.
#[derive(Debug, Arguments)]
pub(crate) struct Token {
    /// How long the command works, 15m to 7d [default: 1h, 24h for a config file]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<Lifetime>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "form")]
    pub(crate) json: bool,
    /// Print this text and nothing else
    #[arg(long = "as", value_name = "FORM")]
    pub(crate) form: Option<Form>,
}

/// The forms in which a token can be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Install,
    DockerRun,
    /// The same for PowerShell on Windows
    Powershell,
    Compose,
    Config,
    /// What runs the config file
    ConfigRun,
}

#[derive(Debug, Arguments)]
pub(crate) struct List {
    /// Only this device, by name or id; may be repeated
    #[arg(long = "device", value_name = "D")]
    pub(crate) devices: Vec<String>,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `+TAG` or `-TAG`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TagEdit {
    Add(Tag),
    Remove(Tag),
}

/// The text is not a change of tags.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidTagEdit {
    #[error("write +TAG to add a tag and -TAG to remove one")]
    Sign,
    #[error(transparent)]
    Tag(#[from] InvalidName),
}

impl FromStr for TagEdit {
    type Err = InvalidTagEdit;

    fn from_str(text: &str) -> Result<Self, InvalidTagEdit> {
        if let Some(tag) = text.strip_prefix('+') {
            Ok(Self::Add(tag.parse()?))
        } else if let Some(tag) = text.strip_prefix('-') {
            Ok(Self::Remove(tag.parse()?))
        } else {
            Err(InvalidTagEdit::Sign)
        }
    }
}

#[cfg(test)]
mod tests;
