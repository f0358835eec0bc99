//! The grammar of `flotilla token`.

use crate::lifetime::Seconds;
use clap::{Args as Arguments, Subcommand};
use flotilla_protocol::{
    api::{Role, Verb},
    name::{Tag, TokenName},
};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for a program, and print it; it is shown this once
    Create(CreateToken),
    /// List tokens
    List {
        #[arg(long)]
        json: bool,
    },
    /// End a token at once
    Revoke { name: String },
}

#[derive(Debug, Arguments)]
pub(crate) struct CreateToken {
    /// What the token is for; the activity log names it
    pub(crate) name: TokenName,
    /// What it may do: viewer, operator, deployer or admin; may be repeated [default: viewer]
    #[arg(long = "role", value_name = "R")]
    pub(crate) roles: Vec<Role>,
    /// One thing that it may do: view, operate, deploy, enroll, manage, tags or policy; may be repeated
    #[arg(long = "verb", value_name = "V")]
    pub(crate) verbs: Vec<Verb>,
    /// Only on devices with this tag; may be repeated [default: the whole fleet]
    #[arg(long = "tag", value_name = "T")]
    pub(crate) tags: Vec<Tag>,
    /// Only on this device, by name or id; may be repeated
    #[arg(long = "device", value_name = "D")]
    pub(crate) devices: Vec<String>,
    /// How long it works, 5m to 366d [default: 30d]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<Seconds>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
