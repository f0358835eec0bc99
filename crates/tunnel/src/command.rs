//! Commands to the data plane's thread.

use std::net::SocketAddr;

use flotilla_mesh::Attempt;
use flotilla_protocol::id::{DeviceId, RelayId};
use flotilla_protocol::mesh::NetworkMap;
use flotilla_protocol::path::PeerPath;
use tokio::sync::oneshot;

use crate::relay_leg::Rings;
use crate::{Counts, TunnelError};

/// A caller that dropped its answer channel is not an error.
#[derive(Debug)]
pub(crate) enum Command {
    Apply(Box<NetworkMap>, oneshot::Sender<Result<(), TunnelError>>),
    RelayAddresses(RelayId, Vec<SocketAddr>),
    LegUp(RelayId, Rings),
    LegDown(RelayId, Rings),
    TestPath(DeviceId, oneshot::Sender<Vec<Attempt>>),
    Paths(oneshot::Sender<Vec<PeerPath>>),
    Counts(oneshot::Sender<Counts>),
    Stop,
}
