//! Measures how long a device takes to answer and how far its clock is off, by a call that does nothing else.

use crate::core::Core;
use flotilla_link::AgentLink;
use flotilla_protocol::{
    agent::{PING_PATH, Pong},
    id::DeviceId,
};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep};

/// The delay of the first measurement, in which the link's first reports arrive.
const FIRST: Duration = Duration::from_secs(1);

/// The time between two measurements. A thousand devices cause 33 small calls a second.
const EVERY: Duration = Duration::from_secs(30);

/// A longer round trip is not shown. Whether the link still lives is decided by its own pings.
const LIMIT: Duration = Duration::from_secs(10);

/// Measures until it is dropped.
pub(super) async fn measure(core: &Core, device: DeviceId, link: &AgentLink) -> Infallible {
    sleep(FIRST).await;
    loop {
        let begun = Instant::now();
        if let Ok(pong) = link.get::<Pong>(PING_PATH, LIMIT).await {
            let took = begun.elapsed().as_secs_f32() * 1000.0;
            core.cache.lock().answered(device, took, pong, core.clock.now());
        }
        sleep(EVERY).await;
    }
}
