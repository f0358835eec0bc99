//! Pushes a device's network map over its link: at first what the agent lacks, then every change within moments.
//!
//! One push is under way at a time; changes meanwhile go with the next. A push that fails is repeated later, and a
//! failure is logged once until another one comes.

use crate::{core::Core, store::ticket_end};
use flotilla_link::AgentLink;
use flotilla_protocol::{
    Timestamp,
    id::DeviceId,
    mesh::{MAP_PATH, MapTaken},
};
use std::{convert::Infallible, time::Duration};
use tokio::time::{sleep, timeout};

/// How long an agent may take to put a map in force and on disk.
const ANSWER: Duration = Duration::from_secs(10);

/// The pause between two pushes, in which changes gather. It is too short to be noticed.
const GATHER: Duration = Duration::from_millis(40);

/// The pause after a failed push, unless the map changes before.
const RETRY: Duration = Duration::from_secs(30);

/// How often the age of the device's ticket is checked.
const TICKET_CHECK: Duration = Duration::from_secs(600);

/// How much later than a ticket's own end the end of all tickets is saved, so that it is written once a day at most.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Pushes until it is dropped.
pub(crate) async fn push_map(core: &Core, device: DeviceId, link: &AgentLink) -> Infallible {
    let map_changed = {
        let mut state = core.cache.lock();
        state.maps.handle_link_up(device);
        state.device(device).map(|entry| entry.map_changed.clone())
    };
    let Some(map_changed) = map_changed else {
        return std::future::pending().await;
    };
    let mut logged = None;
    loop {
        // Each step finds out by itself what is to be pushed, whatever ended the wait before it.
        match push_once(core, device, link).await {
            Ok(true) => {
                logged = None;
                sleep(GATHER).await;
            }
            Ok(false) => drop(timeout(TICKET_CHECK, map_changed.notified()).await),
            Err(failure) => {
                if logged.as_ref() != Some(&failure) {
                    tracing::warn!(device.id = %device, error = %failure, "network map not taken");
                    logged = Some(failure);
                }
                sleep(GATHER).await;
                drop(timeout(RETRY, map_changed.notified()).await);
            }
        }
    }
}

/// Makes one push; false when nothing is to be pushed.
async fn push_once(core: &Core, device: DeviceId, link: &AgentLink) -> Result<bool, String> {
    renew_ticket(core, device).await;
    let Some(push) = core.cache.lock().maps.push(device) else {
        return Ok(false);
    };
    let is_whole = matches!(push, flotilla_protocol::mesh::MapPush::Whole(_));
    let answer = link.post::<MapTaken>(MAP_PATH, &push, ANSWER).await;
    let mut state = core.cache.lock();
    match answer {
        Ok(taken) if state.maps.handle_taken(device, taken.revision) => Ok(true),
        Ok(_) if is_whole => Err("the agent took the whole map and names another one".to_owned()),
        Ok(_) => Ok(true),
        Err(error) => {
            state.maps.handle_push_failed(device);
            Err(error.to_string())
        }
    }
}

async fn renew_ticket(core: &Core, device: DeviceId) {
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
        renew_ticket(&bed.core, id).await;
        assert!(has_one());
        bed.clock.advance(-100 * DAY);
        assert!(!has_one(), "the next is given out by the clock that is right");
        renew_ticket(&bed.core, id).await;

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
                renew_ticket(&bed.core, device.row.id).await;
                written.insert(bed.core.store.lookup_last_ticket().await.unwrap());
            }
            bed.clock.advance(3_600);
        }
        assert!(written.len() <= 3, "{written:?}");
    }
}
