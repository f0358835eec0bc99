//! Rounds of requests; the test plays the relays and the NAT.

use super::*;
use rand::SeedableRng;

const RELAY: &str = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";

fn ready(now: Instant) -> Reflect {
    let mut reflect = Reflect::new(StdRng::from_seed([7; 32]));
    let addresses = vec!["192.0.2.1:7443".parse().unwrap()];
    let relays = [(RELAY.parse().unwrap(), (addresses, Some(7444)))];
    reflect.set_targets(&relays.into(), now);
    reflect
}

fn answer(reflect: &mut Reflect, now: Instant, observed: impl Fn(SocketAddr) -> Option<&'static str>) {
    for (to, bytes) in reflect.handle_timeout(now) {
        let Ok(Frame::ReflectRequest { tx }) = Frame::parse(&bytes) else {
            panic!("no reflect request");
        };
        if let Some(seen) = observed(to) {
            assert!(reflect.handle_answer(tx, to, seen.parse().unwrap(), now));
            assert!(
                !reflect.handle_answer(tx, to, seen.parse().unwrap(), now),
                "an answer counts once"
            );
        }
    }
}

#[test]
fn one_address_for_two_destinations_can_be_foreseen_and_two_cannot() {
    let now = Instant::now();
    let mut reflect = ready(now);
    assert_eq!(reflect.nat(&[], false), Nat::Unknown);
    answer(&mut reflect, now, |_| Some("198.51.100.1:4000"));
    assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
    let mut reflect = ready(now);
    answer(&mut reflect, now, |to| {
        Some(if to.port() == 7443 {
            "198.51.100.1:4000"
        } else {
            "198.51.100.1:4001"
        })
    });
    assert_eq!(reflect.nat(&[], false), Nat::EndpointDependent);
}

#[test]
fn a_mapping_that_differs_per_destination_is_not_where_others_find_us() {
    let mut now = Instant::now();
    let mut reflect = ready(now);
    let mapped = |to: SocketAddr| match to.port() {
        7443 => Some("198.51.100.1:4000"),
        _ => Some("198.51.100.1:4001"),
    };
    answer(&mut reflect, now, mapped);
    assert_eq!(reflect.observed().len(), 0);
    // A round with half of the answers does not mean another NAT.
    for _ in 0..10 {
        now = reflect.timeout().unwrap();
        answer(&mut reflect, now, |to| mapped(to).filter(|_| to.port() == 7443));
        assert_eq!(reflect.nat(&[], false), Nat::EndpointDependent);
        assert_eq!(reflect.observed().len(), 0);
    }
    reflect.restart(now);
    answer(&mut reflect, now, |_| Some("203.0.113.5:4000"));
    assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
    assert_eq!(reflect.observed().len(), 1);
}

#[test]
fn a_relay_on_this_side_of_the_nat_sees_another_address_and_both_can_be_foreseen() {
    let now = Instant::now();
    let mut reflect = Reflect::new(StdRng::from_seed([7; 32]));
    let relay = |n: u8| {
        let id: RelayId = RELAY.replace("ab", &format!("{n:02x}")).parse().unwrap();
        (id, (vec![SocketAddr::from(([192, 0, 2, n], 7443))], Some(7444)))
    };
    reflect.set_targets(&[relay(1), relay(2)].into(), now);
    let near = "192.168.1.7:51820";
    answer(&mut reflect, now, |to| {
        match to.ip() == IpAddr::from([192, 0, 2, 1]) {
            true => Some(near),
            false => Some("198.51.100.1:4000"),
        }
    });
    assert_eq!(
        reflect.nat(&[near.parse().unwrap()], false),
        Nat::EndpointIndependent
    );
    assert_eq!(reflect.observed().len(), 2);
    reflect.restart(now);
    answer(&mut reflect, now, |to| match (to.ip(), to.port()) {
        (ip, _) if ip == IpAddr::from([192, 0, 2, 1]) => Some(near),
        (_, 7443) => Some("198.51.100.1:4000"),
        _ => Some("198.51.100.1:4001"),
    });
    assert_eq!(
        reflect.nat(&[near.parse().unwrap()], false),
        Nat::EndpointDependent
    );
    assert_eq!(reflect.observed(), [near.parse().unwrap()].into());
}

#[test]
fn relays_whose_addresses_change_all_the_time_are_asked_once_a_second() {
    let begin = Instant::now();
    let mut reflect = ready(begin);
    let mut asked = 0;
    for step in 1..=1000u16 {
        let now = begin + Duration::from_millis(10) * step.into();
        let addresses = vec![SocketAddr::from(([203, 0, 113, 9], step))];
        reflect.set_targets(&[(RELAY.parse().unwrap(), (addresses, None))].into(), now);
        asked += reflect.handle_timeout(now).len();
    }
    assert!((9..=40).contains(&asked), "{asked}");
    assert!(reflect.asked.len() <= 40, "{}", reflect.asked.len());
}

#[test]
fn udp_is_blocked_when_nothing_answers_for_three_seconds() {
    let begin = Instant::now();
    let mut reflect = ready(begin);
    let mut now = begin;
    while reflect.nat(&[], false) == Nat::Unknown {
        now = reflect.timeout().unwrap();
        answer(&mut reflect, now, |_| None);
    }
    assert_eq!(reflect.nat(&[], false), Nat::UdpBlocked);
    assert_eq!(now - begin, Duration::from_secs(3));
    answer(&mut reflect, now + PAUSE_BLOCKED, |_| Some("198.51.100.1:4000"));
    assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
}

#[test]
fn an_answer_from_elsewhere_is_not_believed() {
    let now = Instant::now();
    let mut reflect = ready(now);
    let (_, bytes) = reflect.handle_timeout(now).remove(0);
    let Ok(Frame::ReflectRequest { tx }) = Frame::parse(&bytes) else {
        panic!("no reflect request");
    };
    let liar = "203.0.113.9:7443".parse().unwrap();
    assert!(!reflect.handle_answer(tx, liar, liar, now));
}

#[test]
fn relays_behind_one_address_that_see_this_end_differently_are_two_and_no_bad_nat() {
    let now = Instant::now();
    let mut reflect = Reflect::new(StdRng::from_seed([7; 32]));
    let relay = |n: u8, port: u16| {
        let id: RelayId = RELAY.replace("ab", &format!("{n:02x}")).parse().unwrap();
        (id, (vec![SocketAddr::from(([192, 0, 2, 1], port))], None))
    };
    reflect.set_targets(&[relay(1, 7443), relay(2, 8443)].into(), now);
    // The first relay is on this side of the NAT, and both are reached by its outside address.
    let near = "192.168.1.7:51820";
    answer(&mut reflect, now, |to| {
        Some(if to.port() == 7443 {
            near
        } else {
            "198.51.100.1:4000"
        })
    });
    assert_ne!(
        reflect.nat(&[near.parse().unwrap()], false),
        Nat::EndpointDependent
    );
    assert_eq!(reflect.observed().len(), 2);
}

#[test]
fn how_far_a_relay_is_is_not_told_by_an_address_at_which_another_one_may_be() {
    let now = Instant::now();
    let mut reflect = Reflect::new(StdRng::from_seed([7; 32]));
    let [here, there] = ["01", "02"].map(|n| -> RelayId { RELAY.replace("ab", n).parse().unwrap() });
    let [private, public] =
        ["192.168.1.10:7443", "192.0.2.1:7443"].map(|text| text.parse::<SocketAddr>().unwrap());
    let relays = [
        (here, (vec![private], None)),
        (there, (vec![private, public], None)),
    ];
    reflect.set_targets(&relays.into(), now);
    for (to, bytes) in reflect.handle_timeout(now) {
        let Ok(Frame::ReflectRequest { tx }) = Frame::parse(&bytes) else {
            panic!("no reflect request");
        };
        let rtt = Duration::from_millis(if to == private { 1 } else { 40 });
        reflect.handle_answer(tx, to, "198.51.100.1:4000".parse().unwrap(), now + rtt);
    }
    assert_eq!(reflect.nearest(here), Some((private, Duration::from_millis(1))));
    assert_eq!(reflect.nearest(there), Some((public, Duration::from_millis(40))));
}
