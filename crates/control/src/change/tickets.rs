//! Relay tickets, and until when a key that ended must be remembered because one of them may still be valid.

use crate::{core::Core, store::ticket_end};
use flotilla_protocol::{Timestamp, id::DeviceId};
use std::time::Duration;

/// How much later than a ticket's own end the end of all tickets is saved, so that it is written once a day at most.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Issues a device's relay ticket if it needs another one.
pub(crate) async fn renew(core: &Core, device: DeviceId) {
    let now = core.clock.now();
    let (key, last) = {
        let state = core.cache.lock();
        (state.maps.wants_ticket(device, now), state.tickets.last)
    };
    let Some(key) = key else { return };
    if ticket_end(now) > last {
        note_last_end(core, ticket_end(now)).await;
    }
    match core.trust.ca.issue_ticket(device, key, now) {
        Ok(ticket) => core.cache.lock().maps.set_ticket(device, key, ticket, now),
        Err(error) => tracing::error!(device.id = %device, %error, "relay ticket not issued"),
    }
}

/// Saves until when ended keys must be remembered. This happens before the ticket is issued that makes it necessary.
async fn note_last_end(core: &Core, end: Timestamp) {
    let until = end.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    // The ticket is issued even when saving fails (a full disk), since the cache has the end. Only after a restart
    // might a key be forgotten too early, and only one whose ticket was issued by a clock that was ahead.
    if let Err(error) = core.store.save_last_ticket(until).await {
        tracing::error!(%error, "the end of relay tickets was not noted");
    }
    let mut state = core.cache.lock();
    state.tickets.last = state.tickets.last.max(until);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::{Testbed, peer};

    const DAY: i64 = 86_400;

    #[tokio::test]
    async fn a_key_is_barred_for_as_long_as_the_ticket_that_a_wrong_clock_gave_it() {
        let nas = peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let (id, key) = (nas.row.id, nas.public_key().unwrap());
        let has_one = || {
            let state = bed.core.cache.lock();
            state.maps.wants_ticket(id, bed.core.clock.now()).is_none()
        };
        // The clock is wrong for a moment.
        bed.clock.advance(100 * DAY);
        renew(&bed.core, id).await;
        assert!(has_one());
        bed.clock.advance(-100 * DAY);
        assert!(!has_one(), "the next is given out by the clock that is right");
        renew(&bed.core, id).await;

        let _: flotilla_protocol::device::Device = bed.post("/devices/nas/revoke", "{}").await;
        let barred = || bed.core.cache.lock().ended_keys(bed.core.clock.now());
        bed.clock.advance(134 * DAY);
        assert_eq!(barred(), [key]);
        bed.clock.advance(3 * DAY);
        assert_eq!(barred(), []);
    }

    #[tokio::test]
    async fn the_end_of_all_tickets_is_written_once_a_day_whatever_the_number_of_devices() {
        let devices: Vec<_> = (1..=9).map(|nth| peer(&format!("d{nth}"), nth)).collect();
        let bed = Testbed::with(crate::Ui::None, devices.clone()).await;
        let mut written = std::collections::BTreeSet::new();
        for _ in 0..48 {
            for device in &devices {
                renew(&bed.core, device.row.id).await;
                written.insert(bed.core.store.lookup_last_ticket().await.unwrap());
            }
            bed.clock.advance(3_600);
        }
        assert!(written.len() <= 3, "{written:?}");
    }
}
