//! What `status` prints about the mesh.

use super::*;
use crate::mesh::samples::{map, path};
use flotilla_protocol::mesh::MeshTrouble;

fn text(standing: &Standing, map: Option<&NetworkMap>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = StatusFile::new(dir.path());
    file.set_mesh(standing, map);
    let notes: Notes = serde_json::from_slice(&fs::read(dir.path().join(FILE)).unwrap()).unwrap();
    notes.mesh.unwrap().to_string()
}

#[test]
fn peers_are_shown_with_their_paths() {
    let mut standing = Standing::default();
    standing.report.revision = 7;
    standing.report.state = MeshState::Up {
        interface: "flotilla0".to_owned(),
        mtu: 1420,
        obstacle: None,
    };
    assert_eq!(
        text(&standing, Some(&map(7))),
        "mesh     up on flotilla0, map 7\npeer     nas 100.71.0.3, no path known\n"
    );
    let path = path(8.04);
    standing.paths.insert(path.peer, path);
    let shown = text(&standing, Some(&map(7)));
    assert!(
        shown.ends_with("peer     nas 100.71.0.3, relay.trying, by controller, 8.0 ms\n"),
        "{shown}"
    );
}

#[test]
fn a_device_without_a_mesh_says_why() {
    let mut standing = Standing::default();
    assert_eq!(text(&standing, None), "mesh     waiting for control\n");
    standing.report.state = MeshState::Down {
        code: MeshTrouble::NoTun,
        reason: "Run it as root.".to_owned(),
    };
    assert_eq!(text(&standing, None), "mesh     down: Run it as root.\n");
}
