//! What the state machine is told in and answers: moments, origins, obstacles, and things to do.

use super::{live_act::Call, record::JobRecord};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, JobId},
};
use std::time::Instant;

/// The moment by the clock, and by the time that passes. Limits count the time that passed, so that a computer that
/// slept gives its devices the time to come back.
pub type Now = (Timestamp, Instant);

/// What control is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Todo {
    /// Write a record, with the activities of the acts that ended since it was written last, in one transaction. To be
    /// answered with [`super::Jobs::handle_saved`].
    Save {
        record: Box<JobRecord>,
        ended: Vec<usize>,
    },
    /// Call a device about an act. To be answered with [`super::Jobs::handle_answer`].
    Call {
        job: JobId,
        act: JobId,
        device: DeviceId,
        call: Call,
    },
    /// Carry out a job's own work. To be answered with [`super::Jobs::handle_ran`].
    Run(Box<JobRecord>),
    /// End that work early. It is answered as before.
    Stop(JobId),
    /// What people read of a job has changed. A job that is over is shown once its outcome is kept.
    Show(JobId),
}

/// Why a job is not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// This job does the same already.
    Same(JobId),
    /// A job acts on the same thing, and this one is not of a kind that waits for it.
    Busy(JobId),
    /// With it, the jobs that are not over would have more acts than there may be: those of its caller, or those of all.
    Crowd { most: usize, is_own: bool },
}

/// Where a job comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was asked for a moment ago, and no device knows of it.
    New,
    /// An earlier run of control began it, and devices may have begun it.
    Kept,
    /// Its device lists it.
    Listed,
}
