//! Why a stream is over.

use crate::Problem;
use serde::{Deserialize, Serialize};

/// The last thing of every stream. `E` is what came of the thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, derive_more::Display, derive_more::From)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End<E> {
    /// The thing itself is over.
    #[display("It is finished.")]
    Finished { outcome: E },
    /// It was refused, or could not go on.
    #[from]
    #[display("{}", problem.message)]
    Failed { problem: Problem },
    /// The bytes stopped without an end: a connection on the way is gone.
    #[display("The connection to the device or to Flotilla was lost.")]
    LinkLost,
    /// The session or the permission that opened the stream is over.
    #[display("The session that opened this is over. Sign in again.")]
    NotAllowed,
    /// The reader took nothing for too long.
    #[display("What was sent was not read for too long. Open it again to go on.")]
    TooSlow,
    /// It was asked to end.
    #[display("It was canceled.")]
    Canceled,
    /// The program that sends is stopping.
    #[display("The other side is stopping. Open it again to go on.")]
    Stopping,
    /// A reason that a newer peer knows.
    #[serde(other)]
    #[display("It ended for a reason that only a newer version knows.")]
    Unknown,
}

impl<E> End<E> {
    /// Whether the same stream may go on where it stopped, when it is opened again.
    pub fn can_go_on(&self) -> bool {
        matches!(self, Self::LinkLost | Self::TooSlow | Self::Stopping)
    }
}
