//! How far a pending device has come: the stages that Add Device shows while it waits.

use crate::{Timestamp, code::Code, id::DeviceId};
use serde::{Deserialize, Serialize};

/// The stages in the order in which they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The device opened a connection and showed the token (to fetch the installer or to enroll).
    Reached,
    /// Token and certificate request proved good.
    IdentityChecked,
    CertificateIssued,
    /// The device's link is up.
    Online,
    /// A stage that a newer control knows.
    #[serde(other)]
    Unknown,
}

/// A stage and when it was first reached.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageReached {
    pub stage: Stage,
    pub at: Timestamp,
    /// The network address the device came from.
    pub from: Option<String>,
}

/// What became of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentState {
    Waiting,
    Done,
    Expired,
    /// The device was revoked or removed, or a newer token replaced this one.
    Withdrawn,
    /// An end that a newer control knows.
    #[serde(other)]
    Unknown,
}

/// The last attempt that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentFailure {
    pub at: Timestamp,
    pub from: String,
    pub code: Code,
    pub message: String,
}

/// The newest enrollment of a device.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrollment {
    pub device_id: DeviceId,
    pub state: EnrollmentState,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub stages: Vec<StageReached>,
    pub failure: Option<EnrollmentFailure>,
}

#[derive(Debug, Clone)]
pub struct GetEnrollment {
    pub device: String,
}

request!(GetEnrollment, Get "/devices/{device}/enrollment" [device] => Enrollment);
