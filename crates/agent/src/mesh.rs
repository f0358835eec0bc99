//! The agent's part of the mesh: it keeps the network map, runs the data plane on it, and reports how both fare.
//!
//! Life cycle: [`Mesh::join`] when the device is a member → the map on disk is in force at once, before control is
//! reached → each push from control is stored, put in force and answered → [`Mesh::leave`] when control dismisses
//! the device: the interface and the map are gone. Dropping the last [`Mesh`] ends the data plane and keeps the map.
//!
//! A device that cannot have an interface is still managed; its snapshot says why, and it tries again by itself.
//!
//! Whether the device's clock is right does not matter on the mesh, but peers refuse probes that seem older than those
//! before. So each data plane numbers its probes from a beginning later than the last one's, whatever the clock says.
//! WireGuard stamps handshakes by a clock of its own: a peer that refuses one begins one itself, which is accepted.

mod leg;
mod lookup;
mod map_file;
mod map_writer;
mod moves;
mod obstacle_check;
mod plane;
mod range;
#[cfg(test)]
pub(crate) mod samples;
mod setup;
mod snapshot;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use range::{RefusedMap, check_place};
pub(crate) use setup::Surroundings;
pub(crate) use snapshot::{MeshSnapshot, ROUND_TRIP, ReportCursor};

use crate::state::Identity;
use flotilla_identity::MaterialError;
use flotilla_protocol::{
    Code, Problem,
    id::DeviceId,
    mesh::{MapPush, MapTaken},
    path::PathAttempt,
};
use setup::Setup;
use task::MeshTask;
use tokio::sync::{mpsc, oneshot, watch};

/// Default name of the interface.
pub const TUN_NAME: &str = flotilla_tunnel::INTERFACE;

/// A device on the mesh. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Mesh {
    requests: mpsc::UnboundedSender<MeshRequest>,
    snapshot: watch::Receiver<MeshSnapshot>,
}

/// A request to the task that owns the mesh.
#[derive(Debug)]
enum MeshRequest {
    Take(Box<MapPush>, oneshot::Sender<Result<MapTaken, Problem>>),
    Test(DeviceId, oneshot::Sender<Result<Vec<PathAttempt>, Problem>>),
    Leave(oneshot::Sender<()>),
}

impl Mesh {
    /// Puts the stored map of this identity in force, if there is one, and waits for more.
    ///
    /// # Errors
    /// The stored WireGuard key is damaged.
    pub(crate) fn join(surroundings: Surroundings, identity: &Identity) -> Result<Self, MaterialError> {
        let setup = Setup::new(surroundings, identity)?;
        let (requests, inbox) = mpsc::unbounded_channel();
        let (publisher, snapshot) = watch::channel(MeshSnapshot::default());
        tokio::spawn(MeshTask::new(setup, publisher).run(inbox));
        Ok(Self { requests, snapshot })
    }

    /// Makes a map, or a change of one, the one in force.
    ///
    /// # Errors
    /// The map is in force but could not be stored.
    pub(crate) async fn take(&self, push: MapPush) -> Result<MapTaken, Problem> {
        self.ask(|answer| MeshRequest::Take(Box::new(push), answer))
            .await?
    }

    /// Probes all ways to a peer.
    ///
    /// # Errors
    /// There is no such peer, or no data plane.
    pub(crate) async fn test_path(&self, peer: DeviceId) -> Result<Vec<PathAttempt>, Problem> {
        self.ask(|answer| MeshRequest::Test(peer, answer)).await?
    }

    /// The device's part of the mesh as it is, and each change of it.
    pub(crate) fn watch(&self) -> watch::Receiver<MeshSnapshot> {
        self.snapshot.clone()
    }

    /// Ends the membership: returns when neither interface nor map is left.
    pub(crate) async fn leave(&self) {
        // An error means that the task has ended, and the mesh with it.
        let _ = self.ask(MeshRequest::Leave).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> MeshRequest) -> Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        let ended = |()| Code::Unavailable.because("The agent is about to end.");
        self.requests.send(request(answer)).map_err(|_| ended(()))?;
        answered.await.map_err(|_| ended(()))
    }
}
