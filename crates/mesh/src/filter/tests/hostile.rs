//! Peers that try to get more than the rules allow, or what belongs to another peer.

use super::{super::flows::Flows, *};
use crate::filter::fragments::FIRSTS_PER_PEER;

/// Rules by which both peers may send everything.
fn open() -> Rules {
    Rules {
        allows: vec![Allow {
            sources: vec!["100.64.0.0/16".parse().unwrap()],
            proto: Proto::Any,
            ports: vec![],
        }],
    }
}

fn in_tcp(flags: u8) -> Vec<u8> {
    packet(peer(0), HERE, TCP, 0, &tcp(40_000, 445, flags))
}

fn out_tcp(flags: u8) -> Vec<u8> {
    packet(HERE, peer(0), TCP, 0, &tcp(445, 40_000, flags))
}

#[test]
fn what_is_refused_does_not_wear_a_bar_out() {
    for flags in [FIN | ACK, RST, SYN, ACK] {
        let (mut filter, now) = (filter(&open()), Instant::now());
        filter.takes(&in_tcp(SYN), now).unwrap();
        filter.sends(&out_tcp(SYN | ACK), now);
        filter.set_rules(&Rules::default());
        assert_eq!(filter.takes(&in_tcp(flags), now), Err(DropReason::Filtered));
        // The program that serves the peer sends again before it gives up.
        for seconds in [31, 3600, 7200, 7300] {
            let later = now + Duration::from_secs(seconds);
            filter.sends(&out_tcp(ACK), later);
            let verdict = filter.takes(&in_tcp(ACK), later);
            assert_eq!(verdict, Err(DropReason::Filtered), "{flags} after {seconds} s");
        }
    }
}

#[test]
fn a_bar_is_not_pushed_out_by_flows_that_the_peer_may_open() {
    let (mut filter, now) = (filter(&open()), Instant::now());
    filter.takes(&in_tcp(SYN), now).unwrap();
    filter.sends(&out_tcp(SYN | ACK), now);
    filter.set_rules(&allow(Proto::Udp, &[53]));
    for port in 1..=1000 {
        let verdict = filter.takes(&packet(peer(0), HERE, UDP, 0, &udp(port, 53)), now);
        assert_eq!(verdict, Ok(()));
    }
    filter.sends(&out_tcp(ACK), now);
    assert_eq!(filter.takes(&in_tcp(ACK), now), Err(DropReason::Filtered));
    // A connection from here between the same ports is another flow.
    filter.sends(&out_tcp(SYN), now);
    assert_eq!(filter.takes(&in_tcp(SYN | ACK), now), Ok(()));
}

#[test]
fn a_connection_whose_beginning_was_not_seen_is_the_peers_where_a_rule_lets_it_begin() {
    let (mut filter, now) = (filter(&open()), Instant::now());
    filter.sends(&out_tcp(ACK), now);
    filter.set_rules(&Rules::default());
    assert_eq!(filter.takes(&in_tcp(ACK), now), Err(DropReason::Filtered));
    // Where no rule lets the peer begin it, the connection counts as begun from here.
    let (out, back) = (tcp(50_000, 22, ACK), tcp(22, 50_000, ACK));
    filter.sends(&packet(HERE, peer(0), TCP, 0, &out), now);
    assert_eq!(filter.takes(&packet(peer(0), HERE, TCP, 0, &back), now), Ok(()));
}

fn error_from(n: u8, quoted: &[u8]) -> Vec<u8> {
    let mut rest = vec![3, 4, 0, 0, 0, 0, 2, 0];
    rest.extend(quoted);
    packet(peer(n), HERE, ICMP, 0, &rest)
}

#[test]
fn an_error_about_another_peers_flow_is_refused_whatever_the_rules_say() {
    for rules in [Rules::default(), open()] {
        let (mut filter, now) = (filter(&rules), Instant::now());
        let sent = packet(HERE, peer(0), TCP, 0, &tcp(5000, 22, SYN));
        filter.sends(&sent, now);
        let verdict = filter.takes(&error_from(1, &sent), now);
        assert_eq!(verdict, Err(DropReason::Filtered), "{rules:?}");
        assert_eq!(filter.takes(&error_from(0, &sent), now), Ok(()), "{rules:?}");
    }
}

#[test]
fn an_error_that_does_not_say_what_it_is_about_is_malformed() {
    let (mut filter, now) = (filter(&open()), Instant::now());
    let later = packet(HERE, peer(0), UDP, 0x0002, &udp(5000, 53));
    for quoted in [&later[..], &[], &[0x45; 19]] {
        let verdict = filter.takes(&error_from(1, quoted), now);
        assert_eq!(verdict, Err(DropReason::Malformed), "{quoted:?}");
    }
}

#[test]
fn a_peer_pushes_out_its_own_flows_and_no_others() {
    let (mut filter, now) = (filter(&open()), Instant::now());
    let of_other = |port| packet(HERE, peer(1), UDP, 0, &udp(port, 53));
    for port in 1..=30 {
        filter.sends(&of_other(port), now);
    }
    for port in 1..=1000 {
        filter
            .takes(&packet(peer(0), HERE, UDP, 0, &udp(port, 53)), now)
            .unwrap();
    }
    filter.set_rules(&Rules::default());
    for port in 1..=30 {
        let answer = packet(peer(1), HERE, UDP, 0, &udp(53, port));
        assert_eq!(filter.takes(&answer, now), Ok(()), "{port}");
    }
}

#[test]
fn a_flood_of_fragments_pushes_out_only_those_of_its_sender() {
    let (mut filter, now) = (filter(&open()), Instant::now());
    let fragment = |n: u8, id: u16, field: u16| {
        let mut bytes = packet(peer(n), HERE, UDP, field, &udp(4000, 53));
        bytes[4..6].copy_from_slice(&id.to_be_bytes());
        bytes
    };
    filter.takes(&fragment(1, 7, 0x2000), now).unwrap();
    for id in 0..5000 {
        filter.takes(&fragment(0, id, 0x2000), now).unwrap();
    }
    assert_eq!(filter.takes(&fragment(1, 7, 0x0002), now), Ok(()));
    let newest = fragment(0, 4999, 0x0002);
    assert_eq!(filter.takes(&newest, now), Ok(()));
    let oldest = fragment(0, 4999 - u16::try_from(FIRSTS_PER_PEER).unwrap(), 0x0002);
    assert_eq!(filter.takes(&oldest, now), Err(DropReason::Fragment));
}

/// One packet, or one change of the rules.
#[derive(Debug, Clone, Copy)]
enum Move {
    Open(u8, u16, bool),
    Pass(u8, u16, bool),
    /// Bars the flows that the peer with this number opened to ports below.
    Bar(u8, u16),
}

fn any_move() -> impl Strategy<Value = Move> {
    let flow = || (0u8..3, 1u16..12, any::<bool>());
    prop_oneof![
        4 => flow().prop_map(|(peer, port, here)| Move::Open(peer, port, here)),
        4 => flow().prop_map(|(peer, port, here)| Move::Pass(peer, port, here)),
        1 => (0u8..3, 0u16..12).prop_map(|(peer, port)| Move::Bar(peer, port)),
    ]
}

fn flow_key(n: u8, port: u16) -> FlowKey {
    FlowKey {
        remote: peer(n).into(),
        local: HERE.into(),
        protocol: UDP,
        remote_port: 53,
        local_port: port,
    }
}

fn sender(here: bool) -> Sender {
    if here { Sender::Here } else { Sender::Peer }
}

/// The reference: flows in order of their last packet, oldest first, each with peer, port, whether it was opened here,
/// and whether it is barred.
#[derive(Debug, Default)]
struct List(Vec<(u8, u16, bool, bool)>);

impl List {
    const MOST: usize = 9;

    fn place(&self, n: u8, port: u16) -> Option<usize> {
        self.0.iter().position(|flow| (flow.0, flow.1) == (n, port))
    }

    fn open(&mut self, n: u8, port: u16, here: bool) {
        if let Some(old) = self.place(n, port) {
            self.0.remove(old);
        }
        while self.0.len() >= Self::MOST {
            let count = |n| self.0.iter().filter(|flow| flow.0 == n).count();
            let most = (0..3).map(count).max().unwrap();
            // Among peers with equally many flows the table may choose any, except that the opener's own goes first.
            let loser = if count(n) == most {
                n
            } else {
                (0..3).rev().find(|n| count(*n) == most).unwrap()
            };
            let oldest = |barred| self.0.iter().position(|flow| flow.0 == loser && flow.3 == barred);
            let victim = oldest(false).or_else(|| oldest(true)).unwrap();
            self.0.remove(victim);
        }
        self.0.push((n, port, here, false));
    }

    fn pass(&mut self, n: u8, port: u16, here: bool) -> bool {
        let Some(place) = self.place(n, port).filter(|place| here || !self.0[*place].3) else {
            return false;
        };
        let flow = self.0.remove(place);
        self.0.push(flow);
        true
    }

    fn bar(&mut self, n: u8, below: u16) {
        for flow in self.0.iter_mut().filter(|flow| !flow.2) {
            flow.3 = flow.0 == n && flow.1 < below;
        }
    }
}

proptest! {
    #[test]
    fn flows_are_kept_as_a_plain_list_would_keep_them(moves in proptest::collection::vec(any_move(), 1..80)) {
        let (mut flows, mut list, mut now) = (Flows::new(List::MOST), List::default(), Instant::now());
        for one in moves {
            now += Duration::from_millis(1);
            match one {
                Move::Open(n, port, here) => {
                    flows.open(flow_key(n, port), sender(here), now);
                    list.open(n, port, here);
                }
                Move::Pass(n, port, here) => {
                    let passed = flows.pass(&flow_key(n, port), sender(here), 0, now);
                    prop_assert_eq!(passed, list.pass(n, port, here));
                }
                Move::Bar(n, below) => {
                    flows.bar(|flow| flow.remote != IpAddr::V4(peer(n)) || flow.local_port >= below);
                    list.bar(n, below);
                }
            }
            prop_assert_eq!(flows.len(), list.0.len());
            for (n, port, _, barred) in &list.0 {
                prop_assert_eq!(flows.has(&flow_key(*n, *port), now), !barred, "{} {}", n, port);
            }
        }
    }
}
