//! A push installs an agent over the owner's own `ssh`. Where the device can't dial control, an SSH tunnel is kept for
//! its link.
//!
//! Life of a push: connecting (the device is asked which of control's addresses it reaches) → if it reaches none, a
//! tunnel is opened → installing (the script that the install line fetches, with a new token, on standard input) →
//! installed. Each step may fail with an explanation. Its owner may end it: then it stops waiting, but completes what
//! it writes, and [`end`] returns when no part of it runs any more.
//!
//! Life of a tunnel: opening → up → (the connection ends) waiting → opening …, across restarts of control, until the
//! push is ended, the device is revoked or removed, or a later push finds an address that the device reaches.
//!
//! Only the owner may start these, because they use the owner's keys.

mod exit;
mod explain;
mod host;
mod install;
mod line_splitter;
mod reachability_probe;
mod ssh;
mod ssh_config;
mod tunnel;

pub(crate) use install::begin;
pub(crate) use tunnel::resume;

use crate::{
    cache::{Audience, Upsert},
    change::devices::done_by,
    core::Core,
    refusal::Refusal,
};
use flotilla_fleet::access::Caller;
use flotilla_protocol::{
    Code, Problem, Timestamp,
    activity::{Action, Actor},
    api::{Push, PushState, Resource, SshHost},
    id::DeviceId,
    name::DeviceName,
};
use host::Host;

/// Lines of a push that are kept for pages.
const LINES: usize = 200;

/// Why a push goes no further.
#[derive(Debug)]
enum InstallError {
    /// Its owner ended it, or control stops.
    Canceled,
    Failed(Problem),
}

impl From<Problem> for InstallError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// The owner's request, checked.
#[derive(Debug, Clone)]
struct Order {
    actor: Actor,
    device: DeviceId,
    name: DeviceName,
    host: Host,
    as_root: bool,
    skip_docker: bool,
}

/// The hosts of the owner's ssh configuration.
pub(crate) async fn hosts(core: &Core) -> Vec<SshHost> {
    let Some(home) = core.pushes.home.clone() else {
        return Vec::new();
    };
    let read = tokio::task::spawn_blocking(move || ssh_config::read(&home)).await;
    read.unwrap_or_default()
}

fn new_push(host: &Host, device: DeviceId, now: Timestamp) -> Push {
    Push {
        device_id: device,
        host: host.to_string(),
        state: PushState::Connecting,
        lines: Vec::new(),
        failure: None,
        tunneled: false,
        as_of: now,
    }
}

fn is_running(push: &Push) -> bool {
    matches!(push.state, PushState::Connecting | PushState::Installing)
}

/// The newest push to a device.
pub(crate) fn show(core: &Core, device: DeviceId) -> Result<Push, Refusal> {
    let entry = core.device(device)?;
    let records = core.pushes.lock();
    let push = records.get(&entry.row.id).map(|record| record.push.clone());
    push.ok_or_else(|| {
        Refusal::new(
            Code::NotFound,
            format!(
                "Nothing was pushed to {} since this controller started.",
                entry.row.name
            ),
        )
    })
}

/// Ends a running push, and the device's tunnel. Does nothing when there is neither.
pub(crate) async fn end(core: &Core, caller: &Caller, device: DeviceId) -> Result<(), Refusal> {
    let entry = core.device(device)?;
    let (id, name) = (entry.row.id, entry.row.name);
    let stopped = {
        let records = core.pushes.lock();
        let running = records.get(&id).filter(|record| is_running(&record.push));
        running.map(|record| record.push.host.clone())
    };
    if stopped.is_some() {
        core.pushes.stop(id).await;
    }
    if let Some(host) = &stopped {
        change(core, id, |push| {
            push.state = PushState::Failed;
            push.failure = Some(Problem::new(
                Code::Conflict,
                format!(
                    "It was ended before it was done. What was installed on {host} by then is still there."
                ),
            ));
        });
    }
    let had_tunnel = tunnel::forget(core, id).await?;
    if let Some(host) = stopped {
        let details = format!("The push to {host} was ended before it was done.");
        let entry = done_by(caller.actor(), Action::DevicePushed, (id, &name), details);
        core.record(crate::store::NewActivity {
            succeeded: false,
            ..entry
        })
        .await;
    } else if had_tunnel {
        let details = "Its SSH tunnel was ended.".to_owned();
        let (actor, device) = (caller.actor(), (id, &name));
        core.record(done_by(actor, Action::DeviceUpdated, device, details))
            .await;
    }
    Ok(())
}

/// Changes a push, and publishes it if that made a difference.
fn change(core: &Core, device: DeviceId, change: impl FnOnce(&mut Push)) {
    if let Some(push) = core.pushes.change(device, core.clock.now(), change) {
        publish(core, &push);
    }
}

fn add_line(core: &Core, device: DeviceId, line: String) {
    change(core, device, |push| {
        if push.lines.len() == LINES {
            push.lines.remove(0);
        }
        push.lines.push(line);
    });
}

fn publish(core: &Core, push: &Push) {
    let mut state = core.cache.lock();
    let audience = Audience::Device(state.place(push.device_id));
    state
        .live
        .upsert(|| Upsert::new(audience, Resource::Push(push.clone())));
}

#[cfg(test)]
mod tests;
