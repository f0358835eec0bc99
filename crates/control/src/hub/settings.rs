//! Sends a device its settings over its link, until its agent takes them.

use crate::{core::Core, links::AttachedLink};
use flotilla_protocol::{
    agent::{SETTINGS_PATH, Settings},
    id::DeviceId,
};
use serde::de::IgnoredAny;
use std::time::Duration;
use tokio::time::timeout;

/// How long an agent may take to begin its answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The pause before settings that the agent refused are sent again. Until a relay has them, it goes on serving revoked
/// keys.
const RETRY: Duration = Duration::from_secs(2);

/// The pause before settings that were taken are sent again. Values that depend on the time (revoked keys for relays,
/// the time for devices) were wrong if a clock was, and are corrected within the hour.
const RESEND: Duration = Duration::from_secs(3_600);

/// Sends settings when the link begins, when they change, and again until they are taken. An agent that refuses them
/// keeps its earlier ones.
pub(super) async fn send_settings(core: &Core, device: DeviceId, attached: &AttachedLink) {
    let mut logged = None;
    loop {
        let now = core.clock.now();
        let name_and_duty = {
            let state = core.cache.lock();
            let entry = state.device(device);
            entry.map(|entry| (entry.row.name.clone(), state.relay_duty(entry, now)))
        };
        let Some((device_name, relay)) = name_and_duty else {
            return;
        };
        let settings = Settings {
            device_name,
            endpoints: core.endpoints_of(device),
            sent_at: now,
            relay,
        };
        let answer = attached
            .link
            .post::<IgnoredAny>(SETTINGS_PATH, &settings, ANSWER)
            .await;
        let wait = match answer {
            Ok(_) => {
                logged = None;
                RESEND
            }
            Err(error) => {
                if logged.as_ref() != Some(&error) {
                    tracing::warn!(device.id = %device, %error, "settings not taken; they are sent again");
                    logged = Some(error);
                }
                RETRY
            }
        };
        // Whether the time is over or settings changed, the present settings are sent.
        drop(timeout(wait, attached.settings_changed.notified()).await);
    }
}
