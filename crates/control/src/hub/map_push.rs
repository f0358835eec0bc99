//! Pushes a device's network map over its link: at first what the agent lacks, then every change within moments.
//!
//! One push is under way at a time; changes meanwhile go with the next. A push that fails is repeated later, and a
//! failure is logged once until another one comes.

use crate::{change::tickets, core::Core};
use flotilla_link::AgentLink;
use flotilla_protocol::{
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
    tickets::renew(core, device).await;
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
