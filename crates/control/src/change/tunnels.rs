//! The SSH tunnels of devices that can't dial control: which are kept.

use super::{Effect, Effects};
use crate::{
    core::Core,
    store::{StoreError, Tunnel},
};
use flotilla_protocol::id::DeviceId;
use tokio_util::sync::DropGuard;

/// Keeps a tunnel for a device, and ends the one it had. The tunnel ends when `end` is dropped, so also when it can't be
/// written.
pub(crate) async fn keep(
    core: &Core,
    device: DeviceId,
    tunnel: Tunnel,
    end: DropGuard,
) -> Result<(), StoreError> {
    core.store.save_tunnel(device, &tunnel).await?;
    core.ssh.set_tunnel(device, Some(end.disarm()));
    core.cache
        .lock()
        .change(device, core.clock.now(), |entry| entry.tunnel = Some(tunnel));
    Ok(())
}

/// Ends a device's tunnel for good; answers whether there was one.
pub(crate) async fn forget(core: &Core, device: DeviceId) -> Result<(bool, Effects), StoreError> {
    let had_one = core.cache.read(device, |entry| entry.tunnel.is_some()) == Some(true);
    if !had_one {
        return Ok((false, Effects::default()));
    }
    core.store.delete_tunnel(device).await?;
    core.ssh.set_tunnel(device, None);
    core.cache
        .lock()
        .change(device, core.clock.now(), |entry| entry.tunnel = None);
    Ok((true, Effects(vec![Effect::SendSettings(device)])))
}

/// Ends what runs for a device that leaves the fleet, and its tunnel. Such a device is sent no settings.
pub(crate) async fn abandon(core: &Core, device: DeviceId) {
    core.jobs.leave(device, core.moment()).await;
    if let Err(error) = forget(core, device).await {
        tracing::error!(device.id = %device, %error, "a tunnel was not forgotten");
    }
}
