//! When the system refuses to send a size, packets get smaller and their senders are told.

use super::*;

/// Bytes that are added to a packet on a direct path, without IP and UDP headers.
const AROUND: usize = 32;

/// Two meshes that probe each other directly; the first one's system sends no datagram above `most` bytes.
struct Narrow {
    ends: [Mesh; 2],
    most: usize,
    refused: usize,
    now: Instant,
}

impl Narrow {
    fn new(most: usize) -> Self {
        let now = Instant::now();
        let ends = [(1, 2), (2, 1)].map(|(own, other)| {
            let mut end = mesh(own, other, true, now);
            let mut map = map(own, other, true);
            map.peers[0].plain = false;
            end.apply(&map, now);
            end
        });
        Self {
            ends,
            most,
            refused: 0,
            now,
        }
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            for from in [0, 1] {
                self.ends[from].handle_timeout(self.now);
                while let Some(transmit) = self.ends[from].poll_transmit() {
                    self.carry(from, &transmit);
                }
            }
            self.now += Duration::from_millis(5);
        }
    }

    fn carry(&mut self, from: usize, transmit: &Transmit) {
        let Leg::Udp(to) = transmit.leg else { return };
        if from == 0 && transmit.bytes.len() > self.most {
            self.refused += 1;
            self.ends[0].handle_too_large(to, transmit.bytes.len(), self.now);
        } else {
            let sender = underlay(u8::try_from(from).unwrap() + 1);
            let mut out = [0; 2048];
            self.ends[1 - from].open(Leg::Udp(sender), &transmit.bytes, &mut out, self.now);
        }
    }

    fn mtu(&self, end: usize) -> u16 {
        self.ends[end].paths(self.now)[0].mtu
    }
}

#[test]
fn a_narrow_interface_is_known_at_once_and_its_size_after_a_few_refusals() {
    let mut narrow = Narrow::new(1300 + AROUND);
    narrow.run_for(Duration::from_millis(300));
    assert_eq!((narrow.mtu(0), narrow.mtu(1)), (1300, 1420));
    assert!(narrow.refused < 8, "{}", narrow.refused);
    let before = narrow.refused;
    narrow.run_for(Duration::from_secs(60));
    assert_eq!(narrow.refused, before, "it is not asked again and again");
}

#[test]
fn an_interface_that_becomes_narrow_under_a_flow_costs_one_packet_and_its_sender_is_told() {
    let mut narrow = Narrow::new(1500);
    narrow.run_for(Duration::from_secs(1));
    assert_eq!(narrow.mtu(0), 1420);
    narrow.most = 1400 + AROUND - 1;
    let mut packet = udp_packet(ip(1), ip(2), (5, 6), 1420 - 28);
    let (length, now) = (packet.len(), narrow.now);
    let peer = narrow.ends[0].outbound(&mut packet, length, now).unwrap();
    let mut out = [0; 2048];
    narrow.ends[0].seal(peer, &packet, &mut out, now);
    narrow.ends[0].handle_too_large(underlay(2), length + AROUND, now);
    assert_eq!(narrow.mtu(0), 1280, "until more is known");
    let bounced = narrow.ends[0].poll_bounce().unwrap();
    assert_eq!(bounced[26..28], 1280u16.to_be_bytes());
    narrow.run_for(Duration::from_millis(200));
    assert_eq!(narrow.mtu(0), 1396);
    narrow.ends[0].handle_too_large(underlay(9), 700, narrow.now);
    assert_eq!(narrow.mtu(0), 1396, "another address is another path");
}

#[test]
fn a_peer_that_cannot_be_probed_gets_packets_that_fit_nearly_everywhere() {
    let mut pair = Pair::new(true);
    let mut packet = udp_packet(ip(1), ip(2), (5, 6), 1281 - 28);
    let sent = pair.ends[0].outbound(&mut packet, 1281, pair.now);
    assert_eq!(sent, Err(DropReason::TooBig));
    assert!(pair.ends[0].outbound(&mut packet, 1280, pair.now).is_ok());
}
