//! What `status` prints about the mesh.

use super::*;
use crate::{
    mesh::{
        MeshSnapshot,
        samples::{map, path},
    },
    state::status_file::StatusFile,
};
use flotilla_protocol::mesh::{MeshTrouble, NetworkMap};

fn text(snapshot: &MeshSnapshot, map: Option<&NetworkMap>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = StatusFile::new(dir.path());
    file.set_mesh(snapshot.status(map));
    Notes::read(dir.path()).mesh.unwrap().to_string()
}

#[test]
fn peers_are_shown_with_their_paths() {
    let mut snapshot = MeshSnapshot::default();
    snapshot.report.revision = 7;
    snapshot.report.state = MeshState::Up {
        interface: "flotilla0".to_owned(),
        mtu: 1420,
        obstacle: None,
    };
    assert_eq!(
        text(&snapshot, Some(&map(7))),
        "mesh     up on flotilla0, map 7\npeer     nas 100.71.0.3, no path known\n"
    );
    let path = path(8.04);
    snapshot.paths.insert(path.peer, path);
    let shown = text(&snapshot, Some(&map(7)));
    assert!(
        shown.ends_with("peer     nas 100.71.0.3, relay.trying, by controller, 8.0 ms\n"),
        "{shown}"
    );
}

#[test]
fn a_device_without_a_mesh_says_why() {
    let mut snapshot = MeshSnapshot::default();
    assert_eq!(text(&snapshot, None), "mesh     waiting for control\n");
    snapshot.report.state = MeshState::Down {
        code: MeshTrouble::NoTun,
        reason: "Run it as root.".to_owned(),
    };
    assert_eq!(text(&snapshot, None), "mesh     down: Run it as root.\n");
}
