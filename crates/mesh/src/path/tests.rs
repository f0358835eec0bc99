//! The choice of a path; the test decides which pings are answered.

mod hostile;

use super::*;

struct Ends {
    paths: Paths,
    now: Instant,
    /// The largest packet that comes through.
    carries: u16,
}

const LAN: &str = "192.168.1.7:7";
const PUBLIC: &str = "198.51.100.7:7";
const IPV6: &str = "[2001:db8:0:7::7]:7";

/// The networks that the device is in.
fn near() -> [IpRange; 1] {
    ["192.168.1.0/24".parse().unwrap()]
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Ends {
    fn new(candidates: &[&str]) -> Self {
        let now = Instant::now();
        let mut paths = Paths::new(1);
        paths.allow(true, Duration::from_secs(300), now);
        paths.set_relay(true, now);
        let candidates: Vec<_> = candidates.iter().map(|text| at(text)).collect();
        paths.set_candidates(&candidates, &near(), now);
        let carries = 1500;
        Self { paths, now, carries }
    }

    /// Lets time pass; `answer` gives after how many milliseconds a ping is answered, if at all.
    fn run(&mut self, time: Duration, answer: impl Fn(Way) -> Option<u64>) -> Vec<(Way, Query)> {
        let end = self.now + time;
        let mut sent = vec![];
        let mut pongs: Vec<(Instant, u64, Way)> = vec![];
        loop {
            while let Some((way, query)) = self.paths.poll_query() {
                sent.push((way, query));
                if let (Query::Ping { tx, mtu }, Some(rtt)) = (query, answer(way))
                    && mtu.is_none_or(|mtu| mtu <= self.carries)
                {
                    pongs.push((self.now + Duration::from_millis(rtt), tx, way));
                }
            }
            pongs.sort_unstable();
            let pong = pongs.first().map(|pong| pong.0);
            let next = [pong, self.paths.poll_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if pong.is_some_and(|pong| pong <= self.now) {
                let (_, tx, way) = pongs.remove(0);
                self.paths.handle_pong(tx, way, self.now);
            } else {
                self.paths.handle_timeout(self.now);
            }
        }
        self.now = end;
        sent
    }

    fn current(&self) -> Option<SocketAddr> {
        self.paths.current().map(|(address, _)| address)
    }
}

#[test]
fn the_first_direct_answer_is_taken_and_a_better_class_wins_later() {
    let mut ends = Ends::new(&[LAN, PUBLIC]);
    assert_eq!(ends.current(), None);
    ends.run(Duration::from_millis(60), |way| {
        (way == Way::Direct(at(PUBLIC))).then_some(10)
    });
    assert_eq!(ends.current(), Some(at(PUBLIC)));
    ends.run(Duration::from_secs(1), |_| Some(30));
    assert_eq!(ends.current(), Some(at(LAN)), "slower, but the same network");
}

#[test]
fn a_way_of_the_same_class_must_be_clearly_faster() {
    let other = "198.51.100.8:7";
    for (rtt, wins) in [(9, false), (7, false), (4, true)] {
        let mut ends = Ends::new(&[PUBLIC]);
        ends.run(Duration::from_millis(60), |_| Some(10));
        ends.paths.handle_ping(Way::Direct(at(other)), &near(), ends.now);
        ends.run(Duration::from_secs(2), |way| {
            Some(if way == Way::Direct(at(other)) { rtt } else { 10 })
        });
        assert_eq!(ends.current() == Some(at(other)), wins, "{rtt} ms");
    }
}

#[test]
fn a_way_that_falls_silent_is_left_within_ten_seconds_of_use() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths.note_sent(ends.now);
    ends.run(Duration::from_secs(30), |_| Some(10));
    assert_eq!(ends.current(), Some(at(PUBLIC)), "it answers");
    ends.run(Duration::from_secs(11), |way| (way == Way::Relay).then_some(10));
    assert_eq!((ends.current(), ends.paths.is_lost()), (None, true));
    ends.run(Duration::from_secs(10), |_| Some(10));
    assert_eq!(
        (ends.current(), ends.paths.is_lost()),
        (Some(at(PUBLIC)), false),
        "it is looked for again"
    );
}

#[test]
fn pauses_between_rounds_grow_to_five_minutes() {
    let mut ends = Ends::new(&[PUBLIC]);
    let begin = ends.now;
    let mut rounds = vec![];
    while ends.now < begin + Duration::from_secs(2000) {
        let sent = ends.run(Duration::from_secs(1), |_| None);
        if sent.iter().any(|(_, query)| *query == Query::Candidates) {
            rounds.push((ends.now - begin).as_secs());
        }
    }
    let pauses: Vec<_> = rounds.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses.windows(2).all(|two| two[0] <= two[1]), "{pauses:?}");
    assert!(
        pauses.last().is_some_and(|last| (300..=305).contains(last)),
        "{pauses:?}"
    );
    assert!(ends.paths.has_failed());
}

#[test]
fn packets_from_elsewhere_are_no_reason_to_send_there_before_it_answers() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    let elsewhere = Way::Direct(at("203.0.113.9:9"));
    ends.paths.handle_heard(elsewhere, &near(), ends.now);
    let sent = ends.run(Duration::from_secs(3), |way| (way != elsewhere).then_some(10));
    assert!(sent.iter().any(|(way, _)| *way == elsewhere), "it is asked");
    assert_eq!(ends.current(), Some(at(PUBLIC)));
}

#[test]
fn a_peer_that_went_to_the_relay_is_followed_at_once_and_looked_for_anew() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths
        .handle_heard(Way::Direct(at(PUBLIC)), &near(), ends.now);
    ends.run(Duration::from_millis(500), |_| None);
    ends.paths.handle_heard(Way::Relay, &near(), ends.now);
    assert_eq!(ends.current(), Some(at(PUBLIC)), "it was heard directly just now");
    ends.run(Duration::from_millis(300), |_| None);
    ends.paths.handle_heard(Way::Relay, &near(), ends.now);
    assert_eq!(ends.current(), None);
    ends.run(Duration::from_millis(50), |_| Some(10));
    assert_eq!(ends.current(), Some(at(PUBLIC)), "it answers directly after all");
}

#[test]
fn a_device_that_moved_uses_the_relay_until_a_direct_way_answers() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths.handle_change(false, &near(), ends.now);
    assert_eq!(ends.current(), Some(at(PUBLIC)), "nothing says that it is dead");
    ends.paths.handle_change(true, &near(), ends.now);
    assert_eq!((ends.current(), ends.paths.is_lost()), (None, false));
    ends.run(Duration::from_millis(50), |_| Some(10));
    assert_eq!(ends.current(), Some(at(PUBLIC)));
}

#[test]
fn after_a_move_what_was_near_is_near_no_longer() {
    let (left_behind, here) = (at("[2001:db8:0:1::7]:7"), at(LAN));
    let mut ends = Ends::new(&[]);
    let near = |texts: &[&str]| -> Vec<IpRange> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    let both = near(&["2001:db8:0:1::/64", "192.168.1.0/24"]);
    ends.paths.set_candidates(&[left_behind, here], &both, ends.now);
    let answer = |way| Some(if way == Way::Direct(here) { 30 } else { 10 });
    ends.run(Duration::from_secs(1), answer);
    assert_eq!(
        ends.current(),
        Some(left_behind),
        "both are near, and it is faster"
    );
    let moved = near(&["2001:db8:0:2::/64", "192.168.1.0/24"]);
    ends.paths.handle_change(true, &moved, ends.now);
    ends.run(Duration::from_secs(1), answer);
    assert_eq!(ends.current(), Some(here), "only one is near");
}

#[test]
fn without_permission_no_address_is_probed() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths.allow(false, Duration::from_secs(300), ends.now);
    assert_eq!(ends.current(), None);
    ends.paths.handle_ping(Way::Direct(at(LAN)), &near(), ends.now);
    ends.paths.handle_change(false, &near(), ends.now);
    ends.paths.note_sent(ends.now);
    let sent = ends.run(Duration::from_secs(600), |_| Some(10));
    assert!(sent.iter().all(|(way, _)| *way == Way::Relay), "{sent:?}");
}

#[test]
fn a_better_way_is_asked_again_though_packets_come_by_it() {
    let (better, worse) = (Way::Direct(at(IPV6)), Way::Direct(at(PUBLIC)));
    let mut ends = Ends::new(&[IPV6, PUBLIC]);
    ends.run(Duration::from_secs(130), |_| Some(10));
    assert_eq!(ends.current(), Some(at(IPV6)));
    // The way was unused for so long that firewalls forgot it.
    ends.paths.note_sent(ends.now);
    ends.run(Duration::from_millis(150), |way| (way == worse).then_some(10));
    assert_eq!(ends.current(), Some(at(PUBLIC)));
    ends.paths.handle_heard(better, &near(), ends.now);
    ends.run(Duration::from_secs(2), |_| Some(10));
    assert_eq!(ends.current(), Some(at(IPV6)));
}

#[test]
fn a_ping_by_a_better_way_is_answered_with_one() {
    let (better, worse) = (Way::Direct(at(IPV6)), Way::Direct(at(PUBLIC)));
    let mut ends = Ends::new(&[IPV6, PUBLIC]);
    ends.run(Duration::from_secs(130), |_| Some(10));
    ends.paths.note_sent(ends.now);
    ends.run(Duration::from_secs(4), |way| (way == worse).then_some(10));
    assert_eq!(ends.current(), Some(at(PUBLIC)));
    ends.paths.handle_heard(better, &near(), ends.now);
    ends.paths.handle_ping(better, &near(), ends.now);
    ends.run(Duration::from_millis(50), |_| Some(10));
    assert_eq!(ends.current(), Some(at(IPV6)));
}

#[test]
fn a_way_that_was_lost_to_a_worse_one_is_looked_for_soon() {
    let mut ends = Ends::new(&[IPV6, PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths.note_sent(ends.now);
    for _ in 0..11 {
        ends.paths
            .handle_heard(Way::Direct(at(PUBLIC)), &near(), ends.now);
        ends.run(Duration::from_secs(1), |_| None);
    }
    assert_eq!(ends.current(), Some(at(PUBLIC)));
    ends.run(Duration::from_secs(20), |_| Some(10));
    assert_eq!(ends.current(), Some(at(IPV6)));
}

#[test]
fn a_moved_peer_is_followed_at_once() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    let new = at("198.51.100.99:7");
    ends.paths.handle_call(&[new], &near(), ends.now);
    ends.run(Duration::from_millis(50), |way| {
        (way == Way::Direct(new)).then_some(10)
    });
    assert_eq!(ends.current(), Some(new));
}

#[test]
fn the_size_of_a_path_is_what_comes_through() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_millis(15), |_| Some(10));
    assert_eq!(ends.paths.mtu(), 1280);
    ends.run(Duration::from_secs(1), |_| Some(10));
    assert_eq!(ends.paths.mtu(), 1420);
}

#[test]
fn a_test_tells_of_every_way() {
    let mut ends = Ends::new(&[PUBLIC, LAN]);
    ends.run(Duration::from_secs(4), |_| None);
    ends.paths.test(ends.now);
    ends.run(Duration::from_secs(2), |way| (way == Way::Relay).then_some(40));
    let answers = ends.paths.poll_test().unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[&Way::Relay], Some(Duration::from_millis(40)));
    assert_eq!(answers[&Way::Direct(at(LAN))], None);
}

#[test]
fn a_test_that_is_asked_for_again_and_again_ends_in_its_time_and_pings_as_one() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(4), |_| None);
    let mut pings = 0;
    for _ in 0..20 {
        ends.paths.test(ends.now);
        let sent = ends.run(Duration::from_millis(100), |_| None);
        pings += sent
            .iter()
            .filter(|(way, query)| *way == Way::Relay && matches!(query, Query::Ping { .. }))
            .count();
    }
    assert!(ends.paths.poll_test().is_some());
    assert!(pings < 10, "{pings}");
}

#[test]
fn a_flood_of_addresses_is_bounded() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    for port in 1..1000 {
        let from = Way::Direct(SocketAddr::from(([203, 0, 113, 9], port)));
        ends.paths.handle_ping(from, &near(), ends.now);
    }
    assert!(ends.paths.candidates.addresses().count() <= candidates::MAX_CANDIDATES);
    assert_eq!(ends.current(), Some(at(PUBLIC)));
}

#[test]
fn a_path_that_narrows_while_large_packets_flow_gets_its_new_size_in_seconds() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    assert_eq!(ends.paths.mtu(), 1420);
    ends.carries = 1390;
    ends.run(Duration::from_secs(10), |_| Some(10));
    assert_eq!(
        ends.paths.mtu(),
        1420,
        "no large packet is sent, so no size is tried"
    );
    for _ in 0..3 {
        ends.paths.note_sent(ends.now);
        ends.paths.note_large(ends.now);
        ends.run(Duration::from_secs(1), |_| Some(10));
    }
    assert_eq!(ends.paths.mtu(), 1388);
    assert_eq!(ends.current(), Some(at(PUBLIC)));
}

#[test]
fn a_private_address_of_another_network_has_to_be_faster_as_any_other() {
    let vpn = "10.8.0.7:7";
    for (rtt, wins) in [(80, false), (2, true)] {
        let mut ends = Ends::new(&[PUBLIC, vpn]);
        ends.run(Duration::from_secs(3), |way| {
            Some(if way == Way::Direct(at(vpn)) { rtt } else { 20 })
        });
        assert_eq!(ends.current() == Some(at(vpn)), wins, "{rtt} ms");
    }
}

#[test]
fn an_address_that_is_not_listed_is_forgotten_when_the_peer_is_not_heard_from_there_for_ten_minutes() {
    let learned = at("203.0.113.9:9");
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(1), |_| Some(10));
    ends.paths.handle_ping(Way::Direct(learned), &near(), ends.now);
    let knows = |ends: &Ends| {
        let mut all = ends.paths.candidates.addresses();
        all.any(|address| address == learned)
    };
    ends.run(Duration::from_secs(1200), |_| Some(10));
    assert!(knows(&ends), "it answers");
    ends.run(Duration::from_secs(1500), |way| {
        (way != Way::Direct(learned)).then_some(10)
    });
    assert!(!knows(&ends));
    let sent = ends.run(Duration::from_secs(700), |_| Some(10));
    assert!(sent.iter().all(|(way, _)| *way != Way::Direct(learned)));
    assert_eq!(ends.current(), Some(at(PUBLIC)));
}

#[test]
fn what_answered_is_not_pushed_out_by_what_never_did() {
    let good = at("203.0.113.9:9");
    let mut ends = Ends::new(&[PUBLIC, LAN]);
    ends.paths.handle_ping(Way::Direct(good), &near(), ends.now);
    ends.run(Duration::from_secs(4), |way| {
        (way != Way::Direct(at(LAN))).then_some(10)
    });
    for port in 1..1000 {
        let from = Way::Direct(SocketAddr::from(([9, 9, 9, 9], port)));
        ends.paths.handle_ping(from, &near(), ends.now);
    }
    let known: Vec<_> = ends.paths.candidates.addresses().collect();
    assert!([PUBLIC, LAN].map(at).iter().all(|one| known.contains(one)) && known.contains(&good));
}
