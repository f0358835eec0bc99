//! The stages of an enrollment, which Add Device shows while a person waits.

use crate::{
    core::Core,
    report::{SENTENCE_CHARS, bounded},
    store::{DeviceRow, NewActivity, TokenRow, TokenUse},
};
use flotilla_protocol::{
    activity::{Action, Actor},
    api::{EnrollmentFailure, Stage, StageReached},
    enroll::EnrollRequest,
    id::TokenId,
    name::DeviceName,
    text::shown,
};

/// Characters of a host name that are recorded: the longest that POSIX allows.
const HOSTNAME_CHARS: usize = 255;

/// Notes that an enrollment reached a stage for the first time.
pub(crate) async fn stage_reached(core: &Core, token: &TokenRow, stage: Stage, from: &str) {
    let at = core.clock.now();
    let from = Some(from.to_owned());
    progress(core, token, |token| {
        let first = !token.stages.iter().any(|reached| reached.stage == stage);
        if first {
            token.stages.push(StageReached { stage, at, from });
        }
        first
    })
    .await;
}

/// Notes the last refused attempt.
pub(crate) async fn attempt_failed(core: &Core, token: &TokenRow, failure: EnrollmentFailure) {
    progress(core, token, |token| {
        token.failure = Some(failure);
        true
    })
    .await;
}

/// Publishes and records an enrollment that is written already.
pub(crate) async fn device_enrolled(
    core: &Core,
    device: &DeviceRow,
    token: TokenId,
    used: TokenUse,
    request: &EnrollRequest,
    from: &str,
) {
    let now = core.clock.now();
    let facts = bounded(request.facts.clone());
    let hostname = shown(&facts.hostname, HOSTNAME_CHARS);
    let newest = {
        let mut state = core.cache.lock();
        state.change(device.id, now, |entry| {
            let last_seen = entry.row.last_seen;
            entry.row = DeviceRow {
                last_seen,
                ..device.clone()
            };
            entry.last_report.agent_version = Some(shown(&request.agent_version, SENTENCE_CHARS));
            entry.last_report.facts = Some(facts);
            entry.last_report.clock_skew_seconds = Some(request.sent_at.as_second() - now.as_second());
        });
        state.announce(device.id, now);
        state.publish_paths_of(device.id, now);
        state.expect(device.id, (now, tokio::time::Instant::now().into_std()));
        state
            .device(device.id)
            .and_then(|entry| entry.token.clone())
            .filter(|newest| newest.id == token)
    };
    core.timers_changed.notify_one();
    if let Some(newest) = newest {
        progress(core, &newest, |token| {
            token.used = Some(used);
            token.failure = None;
            token.stages.push(StageReached {
                stage: Stage::CertificateIssued,
                at: now,
                from: None,
            });
            true
        })
        .await;
    }
    let name = device.name.to_string();
    let twin = same_machine_id(core, device).map_or_else(String::new, |twin| {
        format!(
            " {twin} has the same machine id: where both were made from one image, give each its own (rm /etc/machine-id && systemd-machine-id-setup)."
        )
    });
    core.record(NewActivity {
        actor: Actor::Device { name: name.clone() },
        action: Action::DeviceEnrolled,
        target: None,
        device: Some((device.id, name)),
        succeeded: true,
        details: format!("Enrolled from {from} as {hostname}.{twin}"),
    })
    .await;
    core.publish_fleet();
}

/// Another device of the fleet with the same machine id.
fn same_machine_id(core: &Core, device: &DeviceRow) -> Option<DeviceName> {
    let own = &device.incoming.as_ref()?.machine_id;
    let state = core.cache.lock();
    let mut others = state
        .devices()
        .filter(|entry| entry.row.id != device.id && entry.row.revoked.is_none());
    let twin = others.find(|entry| {
        let held = entry.row.credential.as_ref().or(entry.row.incoming.as_ref());
        held.is_some_and(|held| held.machine_id == *own)
    });
    twin.map(|entry| entry.row.name.clone())
}

/// Changes a token's progress. If that changes anything, it is published while the token is its device's newest, and
/// saved.
async fn progress(core: &Core, token: &TokenRow, change: impl FnOnce(&mut TokenRow) -> bool) {
    let mut token = token.clone();
    {
        let mut state = core.cache.lock();
        let newest = state
            .device(token.device_id)
            .and_then(|entry| entry.token.clone());
        let shown = newest.filter(|newest| newest.id == token.id);
        let is_shown = shown.is_some();
        token = shown.unwrap_or(token);
        if !change(&mut token) {
            return;
        }
        if is_shown {
            state.set_token(token.clone(), core.clock.now());
        }
    }
    if let Err(error) = core
        .store
        .save_progress(token.id, &token.stages, token.failure.as_ref())
        .await
    {
        tracing::error!(token.id = %token.id, %error, "enrollment progress not saved");
    }
}
