//! How long a device takes to answer, and how far its clock is off, measured by a call that asks for nothing else.

use crate::core::Core;
use flotilla_link::AgentLink;
use flotilla_protocol::{
    agent::{PING_PATH, Pong},
    id::DeviceId,
};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep};

/// From the link's start to the first measurement: the first reports are through by then.
const FIRST: Duration = Duration::from_secs(1);

/// Between two. A thousand devices make 33 tiny calls a second.
const EVERY: Duration = Duration::from_secs(30);

/// Later than this is no figure to show; whether the link still lives is for its own pings to find out.
const LIMIT: Duration = Duration::from_secs(10);

/// Measures for as long as it is polled.
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
