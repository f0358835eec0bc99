//! Carries out what follows from changes.
//!
//! This is the only place that does, in the order that the change gives. Both ports run a request to its end when its
//! caller is gone ([`crate::completion`]), so a change that is written also has its effects.

use crate::{
    change::{Change, Effect, Effects, tunnels},
    core::Core,
    refusal::Refusal,
    relay,
};
use flotilla_protocol::{agent::REVOKED_PATH, id::DeviceId};
use std::time::Duration;

/// How long a revoked agent may take to confirm; its link ends with or without that.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Makes a change and carries out its effects; answers what the change answers.
pub(crate) async fn complete<T>(core: &Core, change: impl Future<Output = Change<T>>) -> Result<T, Refusal> {
    let (answer, effects) = change.await?;
    carry_out(core, effects).await;
    Ok(answer)
}

pub(crate) async fn carry_out(core: &Core, effects: Effects) {
    for effect in effects.0 {
        match effect {
            Effect::SendSettings(device) => core.links.send_settings(device),
            Effect::SendAllSettings => core.links.send_settings_to_all(),
            Effect::SendEndedKeys => send_ended_keys(core),
            Effect::EndLink(device) => {
                if let Some(link) = core.links.lookup(device) {
                    link.abort();
                }
            }
            Effect::Dismiss(device) => dismiss(core, device).await,
            Effect::EndJobs(device) => tunnels::abandon(core, device).await,
            Effect::Record(entry) => core.record(entry).await,
        }
    }
}

/// Sends all relays, control's own and those of devices, the keys that they must refuse.
fn send_ended_keys(core: &Core) {
    relay::revoke(core);
    let state = core.cache.lock();
    for entry in state.devices().filter(|entry| entry.row.relaying.is_some()) {
        core.links.send_settings(entry.row.id);
    }
}

async fn dismiss(core: &Core, device: DeviceId) {
    let Some(link) = core.links.lookup(device) else {
        return;
    };
    let confirmation = link
        .post::<serde::de::IgnoredAny>(REVOKED_PATH, &serde_json::json!({}), CONFIRMATION_TIMEOUT)
        .await;
    if let Err(error) = confirmation {
        tracing::info!(device.id = %device, %error, "a revoked agent did not confirm");
    }
    link.abort();
}

#[cfg(test)]
mod tests {
    use crate::{
        config::Ui,
        testbed::{API_PORT, Testbed, peer},
    };
    use axum::body::Body;
    use flotilla_protocol::{
        activity::Action,
        api::{LiveFrame, Resource, Scope},
    };
    use futures_util::FutureExt;
    use http::{Request, header};
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_change_has_its_effects_although_its_asker_is_gone() {
        let bed = Testbed::with(Ui::None, vec![peer("nas", 1)]).await;
        let mut frames = bed.core.cache.subscribe(Scope::All);
        let request = Request::post("/api/v1/devices/nas/revoke")
            .header(header::HOST, format!("127.0.0.1:{API_PORT}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", bed.token))
            .body(Body::empty())
            .unwrap();

        let answer = bed.api().oneshot(request).now_or_never();

        assert!(answer.is_none(), "the change waits for its store");
        loop {
            let frame: LiveFrame = serde_json::from_str(&frames.next().await.unwrap()).unwrap();
            if let Some(Resource::Activity(entry)) = frame.upsert {
                return assert_eq!(entry.action, Action::DeviceRevoked);
            }
        }
    }
}
