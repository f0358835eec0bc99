//! How an agent ends, and the exit code that tells a service manager what to do.

use std::fmt;

/// Why [`crate::run`] returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The agent was asked to stop.
    Stopped,
    /// Control revoked this device.
    Revoked,
    /// A newer enrollment of the same device took its place.
    Superseded,
    /// The configuration or the token is of no use; a person has to act. Holds what to do.
    Refused(String),
    /// Anything else; starting again may help. Holds what happened.
    Failed(String),
}

impl Exit {
    /// The program's exit code. 77 and 78 tell a service manager not to start the agent again.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Failed(_) => 1,
            Self::Revoked | Self::Superseded => 77,
            Self::Refused(_) => 78,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("The agent was stopped."),
            Self::Revoked => f.write_str(
                "This device was revoked. To bring it back, rotate it in Flotilla and enroll it again with the new token.",
            ),
            Self::Superseded => f.write_str(
                "This device was enrolled anew by another agent, which now speaks for it. This one is no longer needed.",
            ),
            Self::Refused(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}
