//! The filter against a reference that keeps everything.

mod hostile;

use super::*;
use flotilla_protocol::{cidr::IpRange, policy::PortRange};
use flotilla_wire::packet::{FIN, RST, parse};
use proptest::prelude::*;
use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

const HERE: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);

fn peer(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, 0, 10 + n)
}

/// An IPv4 packet of up to 48 bytes.
fn packet(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, field: u16, rest: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + rest.len()).unwrap().to_be_bytes();
    let field = field.to_be_bytes();
    let mut bytes = vec![
        0x45, 0, total[0], total[1], 0, 7, field[0], field[1], 64, protocol, 0, 0,
    ];
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend(rest);
    bytes
}

fn tcp(from: u16, to: u16, flags: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    bytes[..2].copy_from_slice(&from.to_be_bytes());
    bytes[2..4].copy_from_slice(&to.to_be_bytes());
    (bytes[12], bytes[13]) = (0x50, flags);
    bytes
}

fn udp(from: u16, to: u16) -> Vec<u8> {
    let mut bytes = tcp(from, to, 0);
    bytes.truncate(8);
    bytes
}

fn echo(kind: u8, id: u16) -> Vec<u8> {
    let id = id.to_be_bytes();
    vec![kind, 0, 0, 0, id[0], id[1], 0, 1]
}

fn allow(proto: Proto, ports: &[u16]) -> Rules {
    Rules {
        allows: vec![Allow {
            sources: vec!["100.64.0.10/32".parse().unwrap()],
            proto,
            ports: ports
                .iter()
                .map(|port| PortRange::new(*port, *port).unwrap())
                .collect(),
        }],
    }
}

fn filter(rules: &Rules) -> Filter {
    let mut filter = Filter::with_room_for(64);
    filter.set_rules(rules);
    filter
}

impl Filter {
    fn takes(&mut self, bytes: &[u8], now: Instant) -> Result<(), DropReason> {
        let headers = parse(bytes).ok_or(DropReason::Malformed)?;
        self.inbound(&headers, now)
    }

    fn sends(&mut self, bytes: &[u8], now: Instant) {
        self.outbound(&parse(bytes).unwrap(), now);
    }
}

#[test]
fn an_allowed_port_is_open_and_the_next_one_is_not() {
    let (mut filter, now) = (filter(&allow(Proto::Tcp, &[445])), Instant::now());
    let syn = |port| packet(peer(0), HERE, TCP, 0, &tcp(40_000, port, SYN));
    assert_eq!(filter.takes(&syn(445), now), Ok(()));
    assert_eq!(filter.takes(&syn(446), now), Err(DropReason::Filtered));
    let other = packet(peer(1), HERE, TCP, 0, &tcp(40_000, 445, SYN));
    assert_eq!(filter.takes(&other, now), Err(DropReason::Filtered));
}

#[test]
fn an_answer_passes_without_a_rule_until_the_flow_was_idle_for_too_long() {
    let (mut filter, now) = (filter(&Rules::default()), Instant::now());
    let answer = packet(peer(0), HERE, UDP, 0, &udp(53, 5000));
    assert_eq!(filter.takes(&answer, now), Err(DropReason::Filtered));
    filter.sends(&packet(HERE, peer(0), UDP, 0, &udp(5000, 53)), now);
    let later = now + Duration::from_secs(179);
    assert_eq!(filter.takes(&answer, later), Ok(()));
    assert_eq!(
        filter.takes(&answer, later + Duration::from_secs(181)),
        Err(DropReason::Filtered)
    );
}

#[test]
fn a_connection_is_forgotten_thirty_seconds_after_both_ends_closed_it_and_else_after_two_hours_and_four_minutes()
 {
    const BOTH: u8 = FIN | ACK;
    for (ours, flags, life) in [
        (ACK, ACK, 7440),
        (ACK, BOTH, 7440),
        (BOTH, ACK, 7440),
        (BOTH, BOTH, 30),
        (ACK, RST, 30),
    ] {
        let (mut filter, now) = (filter(&Rules::default()), Instant::now());
        let inward = |flags| packet(peer(0), HERE, TCP, 0, &tcp(22, 5000, flags));
        let outward = |flags| packet(HERE, peer(0), TCP, 0, &tcp(5000, 22, flags));
        filter.sends(&outward(SYN), now);
        filter.takes(&inward(SYN | ACK), now).unwrap();
        filter.sends(&outward(ours), now);
        filter.takes(&inward(flags), now).unwrap();
        let end = now + Duration::from_secs(life);
        assert_eq!(filter.takes(&inward(flags), end), Ok(()), "{flags}");
        let end = end + Duration::from_secs(life + 1);
        assert_eq!(
            filter.takes(&inward(ACK), end),
            Err(DropReason::Filtered),
            "{ours} {flags}"
        );
    }
}

#[test]
fn a_connection_that_one_end_closed_carries_what_the_other_end_still_has_to_say() {
    for closer in [Sender::Here, Sender::Peer] {
        let (mut filter, mut now) = (filter(&Rules::default()), Instant::now());
        let inward = |flags| packet(peer(0), HERE, TCP, 0, &tcp(22, 5000, flags));
        let outward = |flags| packet(HERE, peer(0), TCP, 0, &tcp(5000, 22, flags));
        filter.sends(&outward(SYN), now);
        filter.takes(&inward(SYN | ACK), now).unwrap();
        // Sent twice, as when the first copy is lost.
        for _ in 0..2 {
            match closer {
                Sender::Here => filter.sends(&outward(FIN | ACK), now),
                Sender::Peer => filter.takes(&inward(FIN | ACK), now).unwrap(),
            }
        }
        for pause in [1, 31, 600, 3600] {
            now += Duration::from_secs(pause);
            assert_eq!(filter.takes(&inward(ACK), now), Ok(()), "{closer:?} {pause}");
            filter.sends(&outward(ACK), now);
        }
        // The other end has sent its last data.
        filter.sends(&outward(FIN | ACK), now);
        filter.takes(&inward(FIN | ACK), now).unwrap();
        now += Duration::from_secs(31);
        assert_eq!(
            filter.takes(&inward(ACK), now),
            Err(DropReason::Filtered),
            "{closer:?}"
        );
    }
}

#[test]
fn ports_of_a_connection_that_one_end_closed_can_be_used_again() {
    let (mut filter, now) = (filter(&Rules::default()), Instant::now());
    let inward = |flags| packet(peer(0), HERE, TCP, 0, &tcp(22, 5000, flags));
    let outward = |flags| packet(HERE, peer(0), TCP, 0, &tcp(5000, 22, flags));
    filter.sends(&outward(SYN), now);
    filter.takes(&inward(SYN | ACK), now).unwrap();
    filter.sends(&outward(FIN | ACK), now);
    filter.sends(&outward(SYN), now);
    let later = now + Duration::from_secs(121);
    assert_eq!(filter.takes(&inward(SYN | ACK), later), Err(DropReason::Filtered));
}

#[test]
fn being_asked_is_not_an_answer() {
    let (mut filter, now) = (filter(&Rules::default()), Instant::now());
    filter.sends(&packet(HERE, peer(0), ICMP, 0, &echo(8, 77)), now);
    let reply = packet(peer(0), HERE, ICMP, 0, &echo(0, 77));
    let request = packet(peer(0), HERE, ICMP, 0, &echo(8, 77));
    assert_eq!(filter.takes(&reply, now), Ok(()));
    assert_eq!(filter.takes(&request, now), Err(DropReason::Filtered));
}

#[test]
fn a_rule_that_goes_cuts_its_flows_even_while_the_server_keeps_talking() {
    let (mut filter, now) = (filter(&allow(Proto::Any, &[])), Instant::now());
    let inward = packet(peer(0), HERE, TCP, 0, &tcp(40_000, 445, ACK));
    let outward = packet(HERE, peer(0), TCP, 0, &tcp(445, 40_000, ACK));
    filter.takes(&inward, now).unwrap();
    filter.sends(&outward, now);
    filter.set_rules(&Rules::default());
    for _ in 0..3 {
        assert_eq!(filter.takes(&inward, now), Err(DropReason::Filtered));
        filter.sends(&outward, now);
    }
    filter.set_rules(&allow(Proto::Any, &[]));
    assert_eq!(filter.takes(&inward, now), Ok(()));
}

#[test]
fn a_rule_that_goes_leaves_the_flows_that_began_here() {
    let (mut filter, now) = (filter(&allow(Proto::Any, &[])), Instant::now());
    filter.sends(&packet(HERE, peer(0), TCP, 0, &tcp(5000, 22, SYN)), now);
    filter.set_rules(&Rules::default());
    let answer = packet(peer(0), HERE, TCP, 0, &tcp(22, 5000, SYN | ACK));
    assert_eq!(filter.takes(&answer, now), Ok(()));
}

#[test]
fn later_fragments_follow_the_first_one() {
    let (mut filter, now) = (filter(&allow(Proto::Udp, &[53])), Instant::now());
    let first = packet(peer(0), HERE, UDP, 0x2000, &udp(4000, 53));
    let later = packet(peer(0), HERE, UDP, 0x0002, &[0; 8]);
    assert_eq!(filter.takes(&later, now), Err(DropReason::Fragment));
    assert_eq!(filter.takes(&first, now), Ok(()));
    assert_eq!(filter.takes(&later, now + Duration::from_secs(30)), Ok(()));
    assert_eq!(
        filter.takes(&later, now + Duration::from_secs(31)),
        Err(DropReason::Fragment)
    );
    let denied = packet(peer(1), HERE, UDP, 0x2000, &udp(4000, 53));
    assert_eq!(filter.takes(&denied, now), Err(DropReason::Filtered));
    let later = packet(peer(1), HERE, UDP, 0x0002, &[0; 8]);
    assert_eq!(filter.takes(&later, now), Err(DropReason::Fragment));
}

#[test]
fn a_fragment_that_reaches_into_the_tcp_header_is_malformed() {
    let (mut filter, now) = (filter(&allow(Proto::Any, &[])), Instant::now());
    let overlap = packet(peer(0), HERE, TCP, 0x0001, &[0; 16]);
    assert_eq!(filter.takes(&overlap, now), Err(DropReason::Malformed));
}

#[test]
fn an_icmp_error_passes_when_it_is_about_an_open_flow() {
    let (mut filter, now) = (filter(&Rules::default()), Instant::now());
    let sent = packet(HERE, peer(0), UDP, 0, &udp(5000, 53));
    let about = |quoted: &[u8]| {
        let mut rest = vec![3, 3, 0, 0, 0, 0, 0, 0];
        rest.extend(quoted);
        packet(peer(0), HERE, ICMP, 0, &rest)
    };
    assert_eq!(filter.takes(&about(&sent), now), Err(DropReason::Filtered));
    filter.sends(&sent, now);
    assert_eq!(filter.takes(&about(&sent), now), Ok(()));
    let other = packet(HERE, peer(0), UDP, 0, &udp(5000, 54));
    assert_eq!(filter.takes(&about(&other), now), Err(DropReason::Filtered));
}

#[test]
fn a_flood_of_flows_pushes_out_the_one_idle_for_longest() {
    let (mut filter, now) = (filter(&Rules::default()), Instant::now());
    for port in 1..=200 {
        filter.sends(&packet(HERE, peer(0), UDP, 0, &udp(port, 53)), now);
        // The first flow stays in use.
        filter.sends(&packet(HERE, peer(0), UDP, 0, &udp(1, 53)), now);
    }
    assert_eq!(filter.flows.len(), 64);
    let answer = |port| packet(peer(0), HERE, UDP, 0, &udp(53, port));
    assert_eq!(filter.takes(&answer(1), now), Ok(()));
    assert_eq!(filter.takes(&answer(200), now), Ok(()));
    assert_eq!(filter.takes(&answer(2), now), Err(DropReason::Filtered));
}

#[test]
fn ipv6_is_read_behind_its_extensions() {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 24, 0, 64];
    bytes.extend([0xfd; 16]);
    bytes.extend([0xfe; 16]);
    bytes.extend([43, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([UDP, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(udp(9, 53));
    let headers = parse(&bytes).unwrap();
    assert_eq!(
        headers.payload,
        Payload::Udp {
            source: 9,
            destination: 53
        }
    );
    assert_eq!(headers.offset, 56);
}

fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![Just(0x45u8), Just(0x4fu8), Just(0x60u8), any::<u8>()];
    let kind = prop_oneof![
        Just(TCP),
        Just(UDP),
        Just(ICMP),
        Just(ICMPV6),
        Just(44u8),
        Just(0u8),
        any::<u8>()
    ];
    (head, kind, proptest::collection::vec(any::<u8>(), 0..120)).prop_map(|(head, kind, mut bytes)| {
        for (at, value) in [(0, head), (9, kind), (6, kind)] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes
    })
}

#[derive(Debug, Clone)]
enum Step {
    In(u8, u8, u16),
    Out(u8, u8, u16),
    Rules(Vec<(u8, u8, u16)>),
}

fn step() -> impl Strategy<Value = Step> {
    let packet = || (0u8..3, 0u8..2, 1u16..4);
    prop_oneof![
        4 => packet().prop_map(|(who, kind, port)| Step::In(who, kind, port)),
        3 => packet().prop_map(|(who, kind, port)| Step::Out(who, kind, port)),
        1 => proptest::collection::vec(packet(), 0..4).prop_map(Step::Rules),
    ]
}

fn payload(kind: u8, from: u16, to: u16) -> (u8, Vec<u8>) {
    if kind == 0 {
        (TCP, tcp(from, to, ACK))
    } else {
        (UDP, udp(from, to))
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(packets in proptest::collection::vec(any_packet(), 1..8)) {
        let (mut filter, now) = (filter(&allow(Proto::Any, &[])), Instant::now());
        for bytes in packets {
            if let Some(headers) = parse(&bytes) {
                prop_assert!(headers.offset <= bytes.len());
                filter.outbound(&headers, now);
                let _verdict = filter.inbound(&headers, now);
            }
        }
    }

    #[test]
    fn it_decides_as_a_list_of_all_that_happened_would(steps in proptest::collection::vec(step(), 1..40)) {
        let (mut filter, now) = (filter(&Rules::default()), Instant::now());
        // The reference: the rules, and which end opened each flow while that was allowed.
        let mut rules: Vec<(u8, u8, u16)> = Vec::new();
        let mut ours = BTreeSet::new();
        let mut theirs = BTreeSet::new();
        for step in steps {
            match step {
                Step::Rules(new) => {
                    rules = new;
                    let allows = rules.iter().map(|(who, kind, port)| Allow {
                        sources: vec![IpRange::one(IpAddr::V4(peer(*who)))],
                        proto: if *kind == 0 { Proto::Tcp } else { Proto::Udp },
                        ports: vec![PortRange::new(*port, *port).unwrap()],
                    });
                    filter.set_rules(&Rules { allows: allows.collect() });
                }
                Step::Out(who, kind, port) => {
                    let (protocol, rest) = payload(kind, port, 9);
                    filter.sends(&packet(HERE, peer(who), protocol, 0, &rest), now);
                    let flow = (who, kind, port);
                    // A connection whose beginning was not seen is the peer's where the peer may begin it.
                    if kind == 0 && rules.contains(&flow) && !ours.contains(&flow) {
                        theirs.insert(flow);
                    } else if !theirs.contains(&flow) {
                        ours.insert(flow);
                    }
                }
                Step::In(who, kind, port) => {
                    let (protocol, rest) = payload(kind, 9, port);
                    let verdict = filter.takes(&packet(peer(who), HERE, protocol, 0, &rest), now);
                    let flow = (who, kind, port);
                    let ruled = rules.contains(&flow);
                    prop_assert_eq!(verdict.is_ok(), ruled || ours.contains(&flow), "{:?}", flow);
                    if ruled && !ours.contains(&flow) {
                        theirs.insert(flow);
                    }
                }
            }
        }
    }
}
