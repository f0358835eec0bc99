//! The life cycle of a device.
//!
//! pending → enrolled → revoked → (enrolled again, with a new token) … → removed. A revoked device keeps its row, its
//! name and its address until a person removes it, so that a machine can come back as itself. A device can be given a
//! new token at any time, and can enroll whenever it has one: the token is the permission.

use flotilla_protocol::{Code, Problem};

/// Where a device stands in its life cycle, whether or not it has a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Added; no agent has enrolled.
    Pending,
    Enrolled,
    /// Its certificates are refused.
    Revoked,
}

/// The device is not in a state in which this can be done. The text says what to do first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    #[error("This device is revoked already.")]
    AlreadyRevoked,
    #[error("Only a pending or revoked device can be removed. Revoke it first.")]
    RevokeFirst,
}

impl From<LifecycleError> for Problem {
    fn from(reason: LifecycleError) -> Self {
        Code::Conflict.because(reason.to_string())
    }
}

impl Life {
    /// Derives the state from whether a record has a moment of enrollment and of revocation. A device that was revoked
    /// and has enrolled since is enrolled, because recording an enrollment clears the revocation.
    pub fn of(enrolled: bool, revoked: bool) -> Self {
        match (enrolled, revoked) {
            (_, true) => Self::Revoked,
            (true, false) => Self::Enrolled,
            (false, false) => Self::Pending,
        }
    }

    /// Ends all trust in the device, pending tokens included.
    ///
    /// The device is revoked already.
    pub fn revoke(self) -> Result<Self, LifecycleError> {
        match self {
            Self::Pending | Self::Enrolled => Ok(Self::Revoked),
            Self::Revoked => Err(LifecycleError::AlreadyRevoked),
        }
    }

    /// Whether the device's row may be forgotten.
    ///
    /// The device is enrolled: its certificate still works.
    pub fn remove(self) -> Result<(), LifecycleError> {
        match self {
            Self::Pending | Self::Revoked => Ok(()),
            Self::Enrolled => Err(LifecycleError::RevokeFirst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_device_without_a_working_certificate_is_removed() {
        assert_eq!(Life::Pending.remove(), Ok(()));
        assert_eq!(Life::Revoked.remove(), Ok(()));
        assert_eq!(Life::Enrolled.remove(), Err(LifecycleError::RevokeFirst));
    }

    #[test]
    fn revoking_twice_is_refused_and_said() {
        assert_eq!(Life::Revoked.revoke(), Err(LifecycleError::AlreadyRevoked));
        assert_eq!(Problem::from(LifecycleError::RevokeFirst).code, Code::Conflict);
    }

    #[test]
    fn a_revocation_on_record_wins() {
        assert_eq!(Life::of(true, true), Life::Revoked);
        assert_eq!(Life::of(false, true), Life::Revoked);
        assert_eq!(Life::of(true, false), Life::Enrolled);
    }
}
