//! What others ask of the data plane's thread.

use std::net::SocketAddr;

use flotilla_mesh::Tried;
use flotilla_protocol::id::{DeviceId, RelayId};
use flotilla_protocol::mesh::NetworkMap;
use flotilla_protocol::path::PeerPath;
use tokio::sync::oneshot;

use crate::stream::Rings;
use crate::{Counts, TunnelError};

/// An answer that nobody waits for any more is not an error.
#[derive(Debug)]
pub(crate) enum Command {
    Apply(Box<NetworkMap>, oneshot::Sender<Result<(), TunnelError>>),
    RelayAddresses(RelayId, Vec<SocketAddr>),
    StreamUp(RelayId, Rings),
    StreamDown(RelayId, Rings),
    TestPath(DeviceId, oneshot::Sender<Vec<Tried>>),
    Paths(oneshot::Sender<Vec<PeerPath>>),
    Counts(oneshot::Sender<Counts>),
    Stop,
}
