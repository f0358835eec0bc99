//! Tests of all paths to a peer, whose results the data plane's callers wait for.

use super::*;

fn tested(mesh: &mut Mesh) -> Vec<(DeviceId, usize)> {
    let events = std::iter::from_fn(|| mesh.poll_event());
    let tested = events.filter_map(|event| match event {
        Event::Tested { peer, attempts } => Some((peer, attempts.len())),
        _ => None,
    });
    tested.collect()
}

#[test]
fn a_test_of_a_peer_that_leaves_meanwhile_is_answered_without_attempts() {
    let now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    mesh.test_path(device(2), now);
    assert_eq!(tested(&mut mesh), []);
    let mut alone = map(1, 2, true);
    alone.peers.clear();
    mesh.apply(&alone, now);
    assert_eq!(tested(&mut mesh), [(device(2), 0)]);
    mesh.apply(&map(1, 2, true), now);
    mesh.apply(&alone, now);
    assert_eq!(tested(&mut mesh), [], "no test was under way");
}
