//! Texts of the panel of jobs.

use flotilla_protocol::job::JobState;

pub const JOBS: &str = "Jobs";
pub const NONE: &str = "Nothing that takes long was begun yet.";
pub const CANCEL: &str = "Cancel";
pub const OPEN: &str = "Open";

/// "Jobs, 2 running"
#[must_use]
pub fn name(running: usize) -> String {
    if running == 0 {
        JOBS.to_owned()
    } else {
        format!("{JOBS}, {running} running")
    }
}

/// "Cancel: Restart 12 containers"
#[must_use]
pub fn cancel(title: &str) -> String {
    format!("{CANCEL}: {title}")
}

/// "Open nas"
#[must_use]
pub fn open(what: &str) -> String {
    format!("{OPEN} {what}")
}

#[must_use]
pub fn state(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "Waiting",
        JobState::Running => "Running",
        JobState::Canceling => "Canceling",
        JobState::Done => "Done",
        JobState::Failed => "Failed",
        JobState::Undone => "Undone",
        JobState::Canceled => "Canceled",
        JobState::Unknown => "Unknown",
    }
}
