//! What the owner asked for, and what each step of a push uses.

use super::{host::Host, ssh::Ssh};
use crate::{change::tunnels, core::Core, effects, store::StoreError};
use flotilla_protocol::{
    Problem,
    id::{DeviceId, JobId},
};

/// Why a push goes no further.
#[derive(Debug, derive_more::From)]
pub(super) enum InstallError {
    /// Its owner ended it, or control stops.
    Canceled,
    #[from]
    Failed(Problem),
}

/// What the owner asked for, checked.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) job: JobId,
    pub(super) device: DeviceId,
    pub(super) host: Host,
    pub(super) as_root: bool,
    pub(super) skip_docker: bool,
}

/// Ends a device's tunnel for good; answers whether there was one.
pub(super) async fn end_tunnel(core: &Core, device: DeviceId) -> Result<bool, StoreError> {
    let (had_one, follow) = tunnels::forget(core, device).await?;
    effects::carry_out(core, follow).await;
    Ok(had_one)
}

/// Adds a line to what is read of a push.
pub(super) fn add_line(core: &Core, job: JobId, line: String) {
    core.jobs.tell(|jobs| jobs.handle_line(job, line));
}

pub(super) fn ssh(core: &Core) -> Ssh {
    Ssh::new(core.ssh.program.clone())
}
