//! What shows of the task's work: in the snapshot for control, and in the status file for a person.

use super::MeshTask;
use crate::mesh::{map_file::MapRecord, snapshot::with_known_moments};
use flotilla_protocol::{
    id::DeviceId,
    mesh::{MeshState, NetworkMap, Obstacle},
    path::PeerPath,
};
use flotilla_tunnel::{MTU, name_servers_are_reached};
use tokio::time::Instant;

impl MeshTask {
    /// Takes the result of a check: the mesh is up, with or without an obstacle; or its route cuts this device off from a
    /// name server, and the mesh ends.
    pub(super) fn show_checked(&mut self, obstacle: Option<Obstacle>) {
        let map = self.record.as_ref().map(|record| &record.map);
        if let Some(Err(error)) = map.map(name_servers_are_reached) {
            return self.handle_failure(&error);
        }
        let up = MeshState::Up {
            interface: self.setup.surroundings.tun_name.clone(),
            mtu: MTU,
            obstacle,
        };
        self.snapshot.send_if_modified(|snapshot| {
            let is_news = snapshot.report.state != up;
            if let MeshState::Up {
                obstacle: Some(obstacle),
                ..
            } = &up
                && is_news
            {
                tracing::warn!(
                    obstacle.reason,
                    "this device is on the mesh, and not all packets pass"
                );
            }
            snapshot.report.state = up;
            is_news
        });
    }

    /// Shows in the snapshot that another map is in force.
    pub(super) fn show_map(&self) {
        let Some(MapRecord { map, .. }) = &self.record else {
            return;
        };
        self.snapshot.send_modify(|snapshot| {
            snapshot.report.revision = map.revision;
            snapshot.paths.retain(|peer, _| is_peer(map, *peer));
        });
    }

    pub(super) fn show_paths(&self, paths: Vec<PeerPath>) {
        let Some(MapRecord { map, .. }) = &self.record else {
            return;
        };
        self.snapshot.send_modify(|snapshot| {
            for path in paths.into_iter().filter(|path| is_peer(map, path.peer)) {
                let path = with_known_moments(snapshot.paths.get(&path.peer), path);
                snapshot.paths.insert(path.peer, path);
            }
        });
    }

    /// Writes to the status file what a person would want to know.
    pub(super) fn note_status(&mut self) {
        let snapshot = self.snapshot.borrow();
        if !self.noted.take_due(&snapshot, Instant::now()).is_empty() {
            let map = self.record.as_ref().map(|record| &record.map);
            self.setup.surroundings.status.set_mesh(snapshot.status(map));
        }
    }
}

pub(super) fn is_peer(map: &NetworkMap, peer: DeviceId) -> bool {
    map.peers.iter().any(|known| known.id == peer)
}
