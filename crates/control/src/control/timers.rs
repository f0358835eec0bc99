//! Changes that only time causes: devices count as offline, held-back announcements go out, tokens expire, control's
//! certificate is replaced, addresses of this computer change. When the clock is set, values that depend on it are sent
//! again.

use crate::{
    change::{devices, fleet, tokens},
    core::Core,
    effects::carry_out,
    relay,
};
use flotilla_protocol::Timestamp;
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

/// How often this computer's addresses are read, which takes microseconds.
const LOOK_AROUND: Duration = Duration::from_secs(10);

/// The difference between the clock and the time that passed from which the clock counts as set. The clock of a
/// sleeping computer is set when it wakes.
const SET: SignedDuration = SignedDuration::from_mins(1);

/// How often control's own relay gets the ended keys again, as other relays do.
const REMIND: Duration = Duration::from_secs(3_600);

/// Runs until control stops.
pub(crate) async fn run(core: Arc<Core>) {
    let mut checked = core.clock.now();
    let (mut looked, mut reminded) = (Instant::now(), Instant::now());
    loop {
        let wake = next(&core, checked);
        tokio::select! {
            () = sleep_until(wake) => {}
            () = core.timers_changed.notified() => {}
            () = core.stop.cancelled() => return,
        }
        let now = core.clock.now();
        let passed = SignedDuration::try_from(looked.elapsed()).unwrap_or_default();
        let was_set = (now.duration_since(checked) - passed).abs() > SET;
        looked = Instant::now();
        if was_set {
            clock_was_set(&core);
        }
        if was_set || reminded.elapsed() >= REMIND {
            relay::revoke(&core);
            reminded = Instant::now();
        }
        let offline = core.cache.lock().time_passed((now, Instant::now().into_std()));
        for device in offline {
            carry_out(&core, devices::went_offline(&core, device)).await;
        }
        show_expired(&core, checked, now);
        core.cache.lock().reload_pages_when_due(now);
        carry_out(&core, fleet::find_endpoints(&core)).await;
        tend_certificate(&core, now).await;
        tokens::save_uses(&core).await;
        checked = now;
    }
}

/// Replaces control's certificate when it is due. The wall clock may have moved by months while the computer slept, so
/// it is looked at each time, and no timer is set.
async fn tend_certificate(core: &Arc<Core>, now: Timestamp) {
    if core.trust.is_to_be_tended(now) {
        let core = core.clone();
        // It ends with the attempt: an error of it is logged there.
        drop(spawn_blocking(move || core.trust.tend_certificate(now)).await);
    }
}

/// Sends again what depends on the clock: tickets, revoked keys, and the time itself.
fn clock_was_set(core: &Core) {
    tracing::info!("this computer's clock was set");
    core.links.send_settings_to_all();
    core.cache.lock().wake_all();
}

fn next(core: &Core, checked: Timestamp) -> Instant {
    let latest = Instant::now() + LOOK_AROUND;
    let state = core.cache.lock();
    let presence = state.next_timeout().map(Instant::from_std);
    let expiry = state
        .devices()
        .filter_map(|entry| entry.offered_until())
        .filter(|expires| *expires > checked)
        .min();
    // A jump of the wall clock is noticed at the next look at the addresses.
    let moments = expiry.into_iter().chain(state.held_back_until()).map(|at| {
        let wait = Duration::try_from(at.duration_since(core.clock.now())).unwrap_or_default();
        Instant::now() + wait.min(LOOK_AROUND) + Duration::from_millis(1)
    });
    presence.into_iter().chain(moments).fold(latest, Instant::min)
}

/// Publishes the tokens that expired between two moments.
fn show_expired(core: &Core, after: Timestamp, until: Timestamp) {
    let mut state = core.cache.lock();
    let expired: Vec<_> = state
        .devices()
        .filter(|entry| {
            entry
                .offered_until()
                .is_some_and(|expires| after < expires && expires <= until)
        })
        .map(|entry| entry.row.id)
        .collect();
    for device in expired {
        state.publish_enrollment(device, until);
        state.publish_device(device, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::{Testbed, peer};
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_clock_that_was_set_has_everything_sent_again_that_depends_on_the_time() {
        let nas = peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let map_changed = bed.core.device(nas.row.id).unwrap().map_changed;
        let was_woken = async || {
            timeout(Duration::from_secs(5), map_changed.notified())
                .await
                .is_ok()
        };
        let watching = tokio::spawn(run(bed.core.clone()));
        for set in [100 * 86_400, -100 * 86_400] {
            // Lets the loop turn once, so that it has read the clock before the clock is set.
            bed.core.timers_changed.notify_one();
            tokio::task::yield_now().await;
            bed.clock.advance(set);
            bed.core.timers_changed.notify_one();
            assert!(was_woken().await, "{set}");
        }
        bed.core.stop.cancel();
        watching.await.unwrap();
    }
}
