//! A push and its tunnel as people read them, made from the newest job that pushes to a device.

use crate::{
    cache::{Audience, Upsert},
    core::Core,
    refusal::Refusal,
};
use flotilla_fleet::jobs::{JobRecord, LINES, Work};
use flotilla_protocol::{
    Code,
    api::{Push, PushState, Resource},
    id::DeviceId,
    job::JobState,
};

/// The newest push to a device.
///
/// # Errors
/// There is no such device, or nothing was pushed to it.
pub(crate) async fn show(core: &Core, device: DeviceId) -> Result<Push, Refusal> {
    let entry = core.device(device)?;
    let push = find(core, entry.row.id).await?;
    push.ok_or_else(|| {
        Refusal(Code::NotFound.because(format!(
            "Nothing was pushed to {} that is remembered.",
            entry.row.name
        )))
    })
}

/// Publishes a push whose job is shown anew.
pub(crate) fn handle_shown(core: &Core, record: &JobRecord) {
    let target = record.acts.first().map(|act| act.target.device);
    let push = target.filter(|_| matches!(record.work, Work::Push { .. }));
    if let Some(push) = push.and_then(|device| view(core, device, Some(record))) {
        tell(core, push);
    }
}

/// Publishes a push whose tunnel has changed.
pub(super) async fn publish(core: &Core, device: DeviceId) {
    match find(core, device).await {
        Ok(Some(push)) => tell(core, push),
        Ok(None) => {}
        Err(refusal) => {
            tracing::error!(device.id = %device, problem = refusal.0.message, "a push is not shown")
        }
    }
}

fn tell(core: &Core, push: Push) {
    let mut state = core.cache.lock();
    let audience = Audience::Device(state.place(push.device_id));
    state.live.upsert(|| Upsert::new(audience, Resource::Push(push)));
}

async fn find(core: &Core, device: DeviceId) -> Result<Option<Push>, Refusal> {
    let live = core.jobs.read(|jobs| {
        let id = jobs.lookup_push(device)?;
        jobs.lookup(id).cloned()
    });
    let record = match live {
        Some(record) => Some(record),
        None => core.store.lookup_push(device).await?,
    };
    Ok(view(core, device, record.as_ref()))
}

/// A tunnel without a push is one of an earlier run of control, whose job is forgotten.
fn view(core: &Core, device: DeviceId, record: Option<&JobRecord>) -> Option<Push> {
    let tunnel = {
        let state = core.cache.lock();
        state.device(device).and_then(|entry| entry.tunnel.clone())
    };
    let host = match (record.map(|record| &record.work), &tunnel) {
        (Some(Work::Push { host, .. }), _) => host.clone(),
        (_, Some(tunnel)) => tunnel.host.clone(),
        (_, None) => return None,
    };
    let state = match record {
        None => PushState::Installed,
        Some(record) if record.state == JobState::Done => PushState::Installed,
        Some(record) if record.state.is_over() => PushState::Failed,
        Some(record) if core.ssh.is_reached(record.id) => PushState::Installing,
        Some(_) => PushState::Connecting,
    };
    let problem = record.and_then(|record| record.problem.clone());
    Some(Push {
        device_id: device,
        job: record.map(|record| record.id),
        host,
        lines: record
            .map(|record| record.lines.page(0, LINES))
            .unwrap_or_default(),
        failure: match state {
            PushState::Installed => core.ssh.failure(device),
            _ => problem,
        },
        state,
        tunneled: tunnel.is_some(),
        as_of: core.clock.now(),
    })
}
