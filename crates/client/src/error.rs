//! Why a call of the control API has no answer.

use flotilla_protocol::Problem;
use std::{io, path::PathBuf};

/// The way out where control can't be reached; the same words everywhere.
const START_IT: &str = "Open the Flotilla app or run `flotilla serve`.";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No control has written its address into the data directory.
    #[error("Flotilla is not running here: there is no {}. {START_IT}", .path.display())]
    NotRunning { path: PathBuf },
    /// Control's address is written down, and the control that wrote it has ended.
    #[error("Flotilla is not running here: the one that wrote {} has ended. {START_IT}", .path.display())]
    Ended { path: PathBuf },
    /// A program that does not know the token listens at control's address.
    #[error(
        "What listens at {address} does not know the token of your Flotilla, so it was told nothing and nothing it said was believed. {START_IT} If FLOTILLA_API is set, check it and FLOTILLA_API_TOKEN."
    )]
    Unproven { address: String },
    /// The program at control's address says that it never made this API token, or that it is over.
    #[error(
        "The controller at {address} does not know this token: it was revoked, it expired, or another controller made it. Ask the controller's owner for a new one: flotilla token create NAME"
    )]
    UnknownToken { address: String },
    /// Control's address is known, and no program answers there.
    #[error("Control does not answer at {address}: {source}. {START_IT}")]
    Unreachable { address: String, source: io::Error },
    /// Where control listens can't be read.
    #[error("Cannot use {}: {reason}", .path.display())]
    AccessFile { path: PathBuf, reason: String },
    /// The environment names a control in a way that can't be used.
    #[error("{variable} cannot be used: {reason}")]
    Environment {
        variable: &'static str,
        reason: &'static str,
    },
    /// Control refused the call.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A program answered that does not speak this version of the API.
    #[error(
        "What answers at {address} is not a control server this version understands ({detail}). Update Flotilla or check the address."
    )]
    Answer { address: String, detail: String },
}

impl Error {
    /// Whether control could not be reached at all, so that starting it is the way out.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::NotRunning { .. } | Self::Ended { .. } | Self::Unproven { .. } | Self::Unreachable { .. }
        )
    }
}
