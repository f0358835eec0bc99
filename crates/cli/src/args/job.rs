//! The grammar of jobs, and of the commands that begin them.

use crate::act::Target;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Show how far a job is, and what it did
    Show {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Follow a job to its end, and exit with its outcome
    Watch { id: String },
    /// End a job at the next point at which that is safe
    Cancel { id: String },
}

/// Containers to act on: one at once, several as a job.
#[derive(Debug, Args)]
pub(crate) struct Containers {
    #[arg(required = true, value_name = "DEVICE/CONTAINER")]
    pub(crate) targets: Vec<Target>,
    #[command(flatten)]
    pub(crate) detach: Detach,
}

/// A container to recreate, as a job.
#[derive(Debug, Args)]
pub(crate) struct Recreation {
    #[arg(value_name = "DEVICE/CONTAINER")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) detach: Detach,
}

/// Containers to remove, as a job.
#[derive(Debug, Args)]
pub(crate) struct Removal {
    #[command(flatten)]
    pub(crate) containers: Containers,
    /// Remove their volumes without a name too
    #[arg(short = 'v', long)]
    pub(crate) volumes: bool,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Detach {
    /// Only begin it, and print the id of the job
    #[arg(long)]
    pub(crate) detach: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PodCommand {
    /// Recreate a container inside the pod, at the mesh address of its device
    Add {
        target: Target,
        #[command(flatten)]
        detach: Detach,
    },
    /// Recreate a container as it was before it joined the pod
    Remove {
        target: Target,
        #[command(flatten)]
        detach: Detach,
    },
}
