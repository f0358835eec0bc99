//! How an agent ends, and the exit code that tells a service manager what to do.

/// Why [`crate::run`] returned.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display)]
pub enum Exit {
    /// The agent was asked to stop.
    #[display("The agent was stopped.")]
    Stopped,
    /// Control revoked this device.
    #[display(
        "This device was revoked. To bring it back, rotate it in Flotilla and enroll it again with the new token."
    )]
    Revoked,
    /// A newer enrollment of the same device took its place.
    #[display(
        "This device was enrolled anew by another agent, which now speaks for it. This one is no longer needed."
    )]
    Superseded,
    /// The configuration or the token is of no use; a person has to act. Holds what to do.
    #[display("{_0}")]
    Refused(String),
    /// Anything else; starting again may help. Holds what happened.
    #[display("{_0}")]
    Failed(String),
}

impl Exit {
    /// The program's exit code. 77 and 78 tell a service manager not to start the agent again.
    pub fn code(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Failed(_) => 1,
            Self::Revoked | Self::Superseded => 77,
            Self::Refused(_) => 78,
        }
    }
}
