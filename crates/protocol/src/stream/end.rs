//! Why a stream is over.

use crate::Problem;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The last thing of every stream. `E` is what came of the thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End<E> {
    /// The thing itself is over.
    Finished { outcome: E },
    /// It was refused, or could not go on.
    Failed { problem: Problem },
    /// The bytes stopped without an end: a connection on the way is gone.
    LinkLost,
    /// The session or the permission that opened the stream is over.
    NotAllowed,
    /// The reader took nothing for too long.
    TooSlow,
    /// It was asked to end.
    Canceled,
    /// The program that sends is stopping.
    Stopping,
    /// A reason that a newer peer knows.
    #[serde(other)]
    Unknown,
}

impl<E> End<E> {
    /// Whether the same stream may go on where it stopped, when it is opened again.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        matches!(self, Self::LinkLost | Self::TooSlow | Self::Stopping)
    }
}

impl<E> From<Problem> for End<E> {
    fn from(problem: Problem) -> Self {
        Self::Failed { problem }
    }
}

/// Says it to people.
impl<E> fmt::Display for End<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished { .. } => "It is finished.",
            Self::Failed { problem } => &problem.message,
            Self::LinkLost => "The connection to the device or to Flotilla was lost.",
            Self::NotAllowed => "The session that opened this is over. Sign in again.",
            Self::TooSlow => "What was sent was not read for too long. Open it again to go on.",
            Self::Canceled => "It was canceled.",
            Self::Stopping => "The other side is stopping. Open it again to go on.",
            Self::Unknown => "It ended for a reason that only a newer version knows.",
        })
    }
}
