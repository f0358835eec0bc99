//! How many acts there may be at once. A job that is not over is a record in memory and in the store, each event looks
//! at all of them, and one whose device is away may wait for a day.

use super::{Jobs, job::Job, record::JobRecord, todo::Obstacle};
use flotilla_protocol::activity::Actor;

/// Acts of all jobs that are not over: eight of the largest bulk jobs. Their records take some MiB, and each event looks at
/// all of them. The owner has a share beside it, so that no tokens can keep the owner from acting.
pub const MOST_ACTS: usize = 8_000;

/// Acts of one caller: a quarter, so that no token takes all, and two of the largest bulk jobs.
pub const CALLER_ACTS: usize = MOST_ACTS / 4;

/// Acts that control did not order and a device says it has: more than an agent keeps. They may never end.
pub const DEVICE_ACTS: usize = 100;

impl Jobs {
    /// Whether there are too many acts for those of one job more, whatever they act on.
    #[must_use]
    pub fn find_crowd(&self, draft: &JobRecord) -> Option<Obstacle> {
        let count = |is_meant: &dyn Fn(&&Job) -> bool| {
            let jobs = self.live.values().filter(is_meant);
            jobs.map(|job| job.record.acts.len()).sum::<usize>() + draft.acts.len()
        };
        let share = match draft.caller {
            Actor::Device { .. } => DEVICE_ACTS,
            _ => CALLER_ACTS,
        };
        if count(&|job| job.record.caller == draft.caller) > share {
            return Some(Obstacle::Crowd {
                most: share,
                is_own: true,
            });
        }
        let is_full = draft.caller != Actor::Owner && count(&|_| true) > MOST_ACTS;
        is_full.then_some(Obstacle::Crowd {
            most: MOST_ACTS,
            is_own: false,
        })
    }
}
