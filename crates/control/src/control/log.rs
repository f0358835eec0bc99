//! The upkeep of the activity log: counts of repeated entries are recorded, and old or surplus entries removed.
//!
//! All of it runs in a task of its own, so no request waits for it.

use crate::{core::Core, jobs};
use flotilla_protocol::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often to see which counts are due.
const COUNT_CHECK: Duration = Duration::from_secs(10);

/// How often the log is trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(3_600);

/// How long entries are kept: a year, so that a season can be compared with the one before.
const LONGEST_KEPT: Duration = Duration::from_secs(366 * 86_400);

/// The most entries that are kept: about 300 MB.
const MOST_ENTRIES: i64 = 1_000_000;

/// Entries that are removed in one transaction, so that other writers wait for some milliseconds at most.
const BATCH: i64 = 1_000;

/// Runs until control stops.
pub(crate) async fn run(core: Arc<Core>) {
    let mut count_check = interval(COUNT_CHECK);
    count_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trim_at = Instant::now();
    loop {
        tokio::select! {
            _ = count_check.tick() => core.record_counts().await,
            () = core.stop.cancelled() => break,
        }
        if trim_at <= Instant::now() {
            trim_at = Instant::now() + TRIM_EVERY;
            trim(&core).await;
            jobs::trim(&core).await;
        }
    }
    for entry in core.repeats.drain() {
        core.record(entry).await;
    }
}

/// Removes entries that are too old or too many.
async fn trim(core: &Core) {
    let before = core
        .clock
        .now()
        .checked_sub(LONGEST_KEPT)
        .unwrap_or(Timestamp::MIN);
    while !core.stop.is_cancelled() {
        match core.store.trim_activity(before, MOST_ENTRIES, BATCH).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::error!(%error, "the activity log could not be trimmed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::NewActivity, testbed::Testbed};
    use flotilla_protocol::activity::{Action, ActivityVerified, Actor};

    fn entry(n: usize) -> NewActivity {
        NewActivity::new(Actor::Control, Action::FleetUpdated, n.to_string())
    }

    #[tokio::test]
    async fn a_year_after_it_was_written_an_entry_goes_and_the_log_still_verifies() {
        let bed = Testbed::new().await;
        for n in 0..5 {
            bed.core.record(entry(n)).await;
            bed.clock.advance(100 * 86_400);
        }
        trim(&bed.core).await;
        let verified: ActivityVerified = bed.get("/activity/verify").await;
        assert_eq!(
            (verified.first, verified.last, verified.faulty),
            (Some(3), Some(5), None)
        );
    }
}
