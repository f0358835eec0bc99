//! The SSH tunnels of devices that can't dial control: which are kept.

use super::{Effect, Effects};
use crate::{
    cache::{Audience, Upsert},
    core::Core,
    store::{StoreError, Tunnel},
};
use flotilla_protocol::{api::Resource, id::DeviceId};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Keeps a tunnel for a device, and ends the one it had. The tunnel ends when `end` is dropped, so also when it can't be
/// written.
pub(crate) async fn keep(
    core: &Core,
    device: DeviceId,
    tunnel: Tunnel,
    end: DropGuard,
) -> Result<(), StoreError> {
    core.store.save_tunnel(device, &tunnel).await?;
    set(core, device, Some((tunnel, end.disarm())));
    Ok(())
}

/// Ends a device's tunnel for good; answers whether there was one.
pub(crate) async fn forget(core: &Core, device: DeviceId) -> Result<(bool, Effects), StoreError> {
    let had_one = core
        .cache
        .lock()
        .device(device)
        .is_some_and(|entry| entry.tunnel.is_some());
    if !had_one {
        return Ok((false, Effects::default()));
    }
    core.store.delete_tunnel(device).await?;
    set(core, device, None);
    Ok((true, Effects(vec![Effect::SendSettings(device)])))
}

/// Ends the push and the tunnel of a device that leaves the fleet. Such a device is sent no settings.
pub(crate) async fn abandon(core: &Core, device: DeviceId) {
    core.pushes.stop(device).await;
    if let Err(error) = forget(core, device).await {
        tracing::error!(device.id = %device, %error, "a tunnel was not forgotten");
    }
    core.pushes.lock().remove(&device);
}

fn set(core: &Core, device: DeviceId, tunnel: Option<(Tunnel, CancellationToken)>) {
    let is_kept = tunnel.is_some();
    let (tunnel, cancel) = tunnel.unzip();
    if let Some(record) = core.pushes.lock().get_mut(&device)
        && let Some(before) = std::mem::replace(&mut record.tunnel, cancel)
    {
        before.cancel();
    }
    let now = core.clock.now();
    let push = core.pushes.change(device, now, |push| push.tunneled = is_kept);
    let mut state = core.cache.lock();
    state.change(device, now, |entry| entry.tunnel = tunnel);
    if let Some(push) = push {
        let audience = Audience::Device(state.place(device));
        state.live.upsert(|| Upsert::new(audience, Resource::Push(push)));
    }
}
