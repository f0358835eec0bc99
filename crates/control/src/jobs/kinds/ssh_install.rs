//! A push installs an agent over the owner's own `ssh`, as a job. Where the device can't dial control, an SSH tunnel is
//! kept for its link.
//!
//! Life of a push: connecting (the device is asked which of control's addresses it reaches) → if it reaches none, a
//! tunnel is opened → installing (the script that the install line fetches, with a new token, on standard input) →
//! installed. Each step may fail with an explanation. Its owner may end it: then it stops waiting, but completes what
//! it writes. One that the end of control interrupted begins again: each of its steps can be repeated.
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
mod order;
mod reachability_probe;
mod ssh;
mod ssh_config;
mod tunnel;
mod view;

pub(crate) use tunnel::resume;
pub(crate) use view::{handle_shown, show};

use crate::{core::Core, jobs::begin::begin as begin_job, refusal::Refusal, store::NewActivity};
use flotilla_fleet::{
    access::Caller,
    jobs::{ActOutcome, JobRecord, Target, Work},
};
use flotilla_protocol::{
    Code, Problem,
    activity::Action,
    api::{Push, SshHost, SshInstall},
    device::{DeviceStatus, NetworkMode},
    id::DeviceId,
    name::DeviceName,
};
use host::Host;
use install::run as carry_out;
use order::{Order, end_tunnel};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The hosts of the owner's ssh configuration.
pub(crate) async fn hosts(core: &Core) -> Vec<SshHost> {
    let Some(home) = core.ssh.home.clone() else {
        return Vec::new();
    };
    let read = tokio::task::spawn_blocking(move || ssh_config::read(&home)).await;
    read.unwrap_or_default()
}

/// Begins a push. Its progress is published on the live stream.
pub(crate) async fn begin(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    install: SshInstall,
) -> Result<Push, Refusal> {
    let host = install.host.parse::<Host>();
    let host = host.map_err(|error| Refusal::invalid("host", error.to_string()))?;
    let entry = core.device(device)?;
    let name = entry.row.name.clone();
    fits(&name, entry.row.mode, entry.status(), entry.row.this_computer)?;
    let work = Work::Push {
        host: host.to_string(),
        as_root: install.as_root,
        skip_docker: install.skip_docker,
    };
    let target = Target::agent(entry.row.id, name);
    drop(begin_job(core, (work, vec![target]), caller.actor()).await?);
    show(core, entry.row.id).await
}

/// Refuses devices that can't be installed by a script on another computer.
fn fits(
    name: &DeviceName,
    mode: NetworkMode,
    status: DeviceStatus,
    this_computer: bool,
) -> Result<(), Refusal> {
    let conflict = |message: String| Err(Refusal(Code::Conflict.because(message)));
    if mode != NetworkMode::Host {
        return conflict(format!(
            "The installer runs the agent directly on the device, so it only fits Host networking, and {name} is for {mode}. \
             Change its network mode, or paste its docker command."
        ));
    }
    if this_computer {
        return conflict(format!(
            "{name} is this computer: it needs no SSH. Use the install command."
        ));
    }
    if status == DeviceStatus::Online {
        return conflict(format!(
            "{name} is online, so its agent is installed already. To put it on another computer, revoke {name} first."
        ));
    }
    Ok(())
}

/// Carries out a push that is a job, and tells the outcome. One that control's own end cuts off has none: it is carried
/// out when control runs again.
pub(in crate::jobs) async fn run(core: &Arc<Core>, record: &JobRecord, cancel: &CancellationToken) {
    let outcome = match order(record) {
        Ok(order) => carry_out(core, &order, cancel).await,
        Err(problem) => Some(ActOutcome::failed(problem)),
    };
    core.ssh.forget(record.id);
    if let Some(outcome) = outcome {
        core.jobs
            .tell(|jobs| jobs.handle_ran(record.id, outcome, core.moment()));
    }
}

fn order(record: &JobRecord) -> Result<Order, Problem> {
    let unreadable = || Code::Internal.because("What was to be installed can't be read. Push again.");
    let (
        Work::Push {
            host,
            as_root,
            skip_docker,
        },
        [act],
    ) = (&record.work, &record.acts[..])
    else {
        return Err(unreadable());
    };
    Ok(Order {
        job: record.id,
        device: act.target.device,
        host: host.parse().map_err(|_| unreadable())?,
        as_root: *as_root,
        skip_docker: *skip_docker,
    })
}

/// Ends a running push, and the device's tunnel. Does nothing when there is neither.
pub(crate) async fn end(core: &Core, caller: &Caller, device: DeviceId) -> Result<(), Refusal> {
    let entry = core.device(device)?;
    let (id, name) = (entry.row.id, entry.row.name);
    let running = core.jobs.read(|jobs| jobs.lookup_push(id));
    let running = running.and_then(|job| Some((job, core.jobs.handle(job)?)));
    if let Some((job, mut handle)) = running {
        // It may have ended meanwhile, which is as good.
        drop(core.jobs.tell(|jobs| jobs.handle_cancel(job, core.moment())));
        drop(handle.over(Duration::MAX).await);
    }
    if end_tunnel(core, id).await? {
        view::publish(core, id).await;
        let details = "Its SSH tunnel was ended.";
        let entry = NewActivity::new(caller.actor(), Action::DeviceUpdated, details);
        core.record(entry.on(id, &name)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
