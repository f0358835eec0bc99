//! Counters of probes: a receiver accepts a few out of order, and none twice.

use super::*;
use flotilla_wire::Frame;
use std::collections::BTreeMap;

fn map_of(peers: std::ops::RangeInclusive<u8>) -> NetworkMap {
    let mut map = map(1, 2, true);
    let peer = |n| Peer {
        plain: false,
        ..self::map(1, n, true).peers.remove(0)
    };
    map.peers = peers.map(peer).collect();
    map
}

/// The counters of the probes that are sent within `time`, by their destination.
fn counters(mesh: &mut Mesh, now: &mut Instant, time: Duration) -> BTreeMap<Leg, Vec<u64>> {
    let end = *now + time;
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    loop {
        mesh.handle_timeout(*now);
        while let Some(transmit) = mesh.poll_transmit() {
            if let Ok(Frame::Probe(probe)) = Frame::parse(&transmit.bytes) {
                sent.entry(transmit.leg).or_default().push(probe.counter());
            }
        }
        match mesh.poll_timeout().filter(|next| *next <= end) {
            Some(next) => *now = next.max(*now),
            None => break,
        }
    }
    *now = end;
    sent
}

#[test]
fn probes_to_one_peer_are_counted_on_whatever_goes_to_others() {
    let mut now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    mesh.apply(&map_of(2..=200), now);
    let sent = counters(&mut mesh, &mut now, Duration::from_secs(60));
    assert_eq!(sent.len(), 199);
    for (to, counters) in sent {
        assert!(counters.len() > 10, "{to:?}: {counters:?}");
        assert!(
            counters.windows(2).all(|two| two[1] == two[0] + 1),
            "{to:?}: {counters:?}"
        );
    }
}

#[test]
fn a_peer_that_comes_back_gets_no_number_twice() {
    let mut now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    let mut seen = BTreeMap::<_, Vec<u64>>::new();
    for peers in [2..=4, 2..=2, 2..=4, 3..=3, 2..=4] {
        mesh.apply(&map_of(peers), now);
        for (to, counters) in counters(&mut mesh, &mut now, Duration::from_secs(20)) {
            seen.entry(to).or_default().extend(counters);
        }
    }
    assert_eq!(seen.len(), 3);
    for counters in seen.values() {
        assert!(counters.windows(2).all(|two| two[0] < two[1]), "{counters:?}");
    }
}
