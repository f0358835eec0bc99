//! What strangers, who are no peers, can make a device do.

use super::*;
use boringtun::{
    noise::{Tunn, TunnResult},
    x25519,
};

fn stranger() -> SocketAddr {
    "203.0.113.66:7".parse().unwrap()
}

/// The datagrams that a device has to send.
fn sent(mesh: &mut Mesh) -> Vec<Transmit> {
    std::iter::from_fn(|| mesh.poll_transmit()).collect()
}

fn hear(mesh: &mut Mesh, from: SocketAddr, datagram: &[u8], now: Instant) -> bool {
    let mut out = [0; 2048];
    let opened = mesh.open(Leg::Udp(from), datagram, &mut out, now);
    matches!(opened, Opened::Dropped(_))
}

/// A message of this kind and length for the session with this index.
fn forged(kind: u8, index: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![0x5a; length];
    bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
    let at = if kind == 2 { 8 } else { 4 };
    bytes[at..at + 4].copy_from_slice(&index.to_le_bytes());
    bytes
}

#[test]
fn a_forged_message_for_a_session_is_answered_with_nothing() {
    let mut pair = Pair::new(true);
    pair.send(0, &udp_packet(ip(1), ip(2), (1, 2), 10)).unwrap();
    // After this the first end uses a session that the second end does not know.
    pair.ends[1] = mesh(2, 1, true, pair.now);
    let kinds = [(4, 32), (4, 48), (4, 1452), (3, 64), (2, 92), (1, 148)];
    for (end, other) in [(0, 2), (1, 1)] {
        for from in [stranger(), underlay(other)] {
            for (round, index) in (0u32..0x400).step_by(17).enumerate() {
                let now = pair.now + Duration::from_secs(10) * u32::try_from(round).unwrap();
                for (kind, length) in kinds {
                    let datagram = forged(kind, index, length);
                    assert!(hear(&mut pair.ends[end], from, &datagram, now), "{kind} {index}");
                    assert_eq!(sent(&mut pair.ends[end]), [], "{kind} {index}");
                }
            }
        }
    }
}

#[test]
fn a_flood_of_handshakes_of_a_stranger_is_answered_with_less_than_it_is() {
    let now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    let own = x25519::PublicKey::from(*public(1).as_bytes());
    let secret = x25519::StaticSecret::from([9; 32]);
    let mut flood = Tunn::new(secret, own, None, None, 5, None);
    let (mut heard, mut answered, mut last) = (0, 0, vec![]);
    for _ in 0..300 {
        let mut out = [0; 148];
        let TunnResult::WriteToNetwork(bytes) = flood.format_handshake_initiation(&mut out, true) else {
            panic!("no handshake");
        };
        heard += bytes.len();
        hear(&mut mesh, stranger(), bytes, now);
        last = sent(&mut mesh);
        answered += last.iter().map(|one| one.bytes.len()).sum::<usize>();
        assert!(
            last.iter()
                .all(|one| one.leg == Leg::Udp(stranger()) && one.bytes[0] == 3)
        );
    }
    assert!(answered < heard / 2, "{answered} of {heard}");
    assert!(last.len() <= 1);
}

impl Pair {
    /// Two ends that probe each other, each at the only address that the other knows.
    fn of_probers() -> Self {
        let mut pair = Self::new(true);
        for end in 0..2 {
            pair.join(end);
        }
        pair.pass(Duration::from_secs(1));
        pair
    }

    fn join(&mut self, end: usize) {
        let numbers = if end == 0 { (1, 2) } else { (2, 1) };
        let mut map = map(numbers.0, numbers.1, true);
        map.peers[0].plain = false;
        self.ends[end].apply(&map, self.now);
    }

    /// Lets time pass; returns how many handshakes were begun.
    fn pass(&mut self, time: Duration) -> usize {
        let (end, mut begun) = (self.now + time, 0);
        while self.now < end {
            self.now += Duration::from_millis(50);
            for end in 0..2 {
                self.ends[end].handle_timeout(self.now);
            }
            while let Some((end, transmit)) =
                (0..2).find_map(|end| Some((end, self.ends[end].poll_transmit()?)))
            {
                begun += usize::from(transmit.bytes[0] == 1);
                self.deliver(1 - end, &transmit.bytes);
            }
        }
        begun
    }
}

/// The second device, started for the `nth` time, a minute after the time before.
fn begun(nth: u64, now: Instant) -> Mesh {
    let config = Config {
        private_key: key(2),
        device: device(2),
        clock_start_unix_ms: 1_700_000_000_000 + 60_000 * nth,
    };
    Mesh::new(config, [3; 32], now)
}

#[test]
fn a_peer_that_began_anew_is_offered_a_session_as_soon_as_it_is_heard() {
    let mut pair = Pair::of_probers();
    let packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    pair.send(0, &packet).unwrap();
    assert_eq!(pair.got[1].len(), 1);
    pair.ends[1] = begun(1, pair.now);
    pair.send(0, &packet).unwrap();
    assert_eq!(pair.got[1].len(), 1, "it does not know the session");
    pair.join(1);
    assert_eq!(pair.pass(Duration::from_secs(1)), 1);
    pair.send(0, &packet).unwrap();
    assert_eq!(pair.got[1].len(), 2);
    assert_eq!(pair.pass(Duration::from_secs(20)), 0);
}

#[test]
fn a_peer_that_begins_anew_every_two_seconds_is_offered_a_session_each_time() {
    let mut pair = Pair::of_probers();
    let packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    pair.send(0, &packet).unwrap();
    for nth in 1..=8 {
        pair.ends[1] = begun(nth, pair.now);
        pair.join(1);
        pair.pass(Duration::from_secs(2));
        let before = pair.got[1].len();
        pair.send(0, &packet).unwrap();
        assert_eq!(pair.got[1].len(), before + 1, "{nth}");
    }
}

#[test]
fn a_peer_that_begins_anew_without_end_is_offered_a_session_a_second_and_one_at_the_end() {
    let mut pair = Pair::of_probers();
    let packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    pair.send(0, &packet).unwrap();
    let mut offers = 0;
    for nth in 1..=50 {
        pair.ends[1] = begun(nth, pair.now);
        pair.join(1);
        offers += pair.pass(Duration::from_millis(100));
    }
    assert!((3..=8).contains(&offers), "{offers}");
    pair.pass(Duration::from_secs(3));
    let before = pair.got[1].len();
    pair.send(0, &packet).unwrap();
    assert_eq!(pair.got[1].len(), before + 1);
}
