//! The grammar of the activity log.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Activity {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Follow the chain of hashes through the whole log instead, and name the first entry that does not fit
    #[arg(long)]
    pub(crate) verify: bool,
    /// Print the whole log, newest first, for a spreadsheet or another program
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "verify"])]
    pub(crate) export: Option<ExportFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Csv,
    Json,
}
