//! The kinds of jobs.

pub(crate) mod mode_change;
pub(crate) mod ssh_install;
