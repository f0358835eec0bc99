//! The client's side of admission; the test plays the relay.

use super::*;
use flotilla_protocol::{endpoint::Endpoint, mesh::RelayTicket};
use flotilla_wire::{Challenge, Cookie, Frame, Reason};
use rand::SeedableRng;

fn id(n: u8) -> RelayId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{n:02x}")
        .parse()
        .unwrap()
}

fn key(n: u8) -> StaticKey {
    StaticKey::from_bytes([n; 32])
}

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, n], 7443))
}

fn client(relays: &[u8], now: Instant) -> Relays {
    let relays: Vec<_> = relays.iter().map(|n| (*n, vec![*n])).collect();
    client_of(&relays, now)
}

/// A client of relays that have several addresses each in the map.
fn client_of(relays: &[(u8, Vec<u8>)], now: Instant) -> Relays {
    let mut client = Relays::new(key(1), StdRng::from_seed([1; 32]));
    let endpoint = |n: &u8| Endpoint::from_ip(address(*n).ip(), address(*n).port());
    let relays: Vec<_> = relays
        .iter()
        .map(|(n, at)| mesh::Relay {
            id: id(*n),
            name: "relay".to_owned(),
            public_key: key(*n).public(),
            endpoints: at.iter().map(endpoint).collect(),
            reflect_port: None,
        })
        .collect();
    client.apply(&relays, Some(&RelayTicket("ticket".to_owned())), None, now);
    client.choose_home(|_| None, now);
    client
}

impl Relays {
    fn is_up(&self, relay: RelayId) -> bool {
        self.through(relay, key(3).public()).is_some()
    }
}

fn session_at(relay: u8) -> SessionId {
    SessionId(u64::from(relay) + 3)
}

/// The relay's answer to one frame.
fn answer(n: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    let shared = RelayKey::of_relay(&key(n), key(1).public()).unwrap();
    let cookie = Cookie([9; 32]);
    let frame = match Frame::parse(bytes).unwrap() {
        Frame::Hello(hello) if hello.cookie == Cookie::NONE => {
            Frame::Challenge(Challenge { tx: hello.tx, cookie })
        }
        Frame::Hello(hello) if !shared.hello_is_good(&hello) => Frame::Refused {
            tx: hello.tx,
            reason: Reason::Ticket,
        },
        Frame::Hello(hello) => {
            assert_eq!(hello.ticket, b"ticket");
            Frame::Welcome(shared.welcome(hello.tx, session_at(n), 25, address(1)))
        }
        Frame::Ping { session, tx } => Frame::Pong { session, tx },
        _ => return None,
    };
    let mut out = vec![0; 1000];
    let len = frame.write(&mut out).unwrap();
    out.truncate(len);
    Some(out)
}

/// Lets time pass; returns when frames were sent. Only the relays in `alive` answer.
fn run(client: &mut Relays, now: &mut Instant, time: Duration, alive: &[u8]) -> Vec<Duration> {
    let (begin, end) = (*now, *now + time);
    let mut sent = vec![];
    loop {
        client.handle_timeout(|_| None, *now);
        while let Some(transmit) = client.poll_transmit() {
            sent.push(*now - begin);
            let relay = match transmit.leg {
                Leg::Udp(address) => [2, 3].into_iter().find(|n| self::address(*n) == address),
                Leg::Tls(of) => [2, 3].into_iter().find(|n| id(*n) == of),
            };
            if let Some(relay) = relay.filter(|relay| alive.contains(relay))
                && let Some(bytes) = answer(relay, &transmit.bytes)
            {
                client.handle_frame(transmit.leg, Frame::parse(&bytes).unwrap(), *now);
            }
        }
        match client.timeout().filter(|next| *next <= end) {
            Some(next) => *now = next.max(*now + Duration::from_millis(1)),
            None => break,
        }
    }
    *now = end;
    sent
}

#[test]
fn a_relay_that_answers_is_up_after_two_hellos_and_kept_alive() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    assert_eq!(run(&mut client, &mut now, Duration::from_secs(1), &[2]).len(), 2);
    assert!(client.is_up(id(2)));
    let through = client.through(id(2), key(3).public()).unwrap();
    assert_eq!(through.leg, Leg::Udp(address(2)));
    let pings = run(&mut client, &mut now, Duration::from_secs(100), &[2]).len();
    assert!((3..=5).contains(&pings), "{pings}");
    assert!(client.is_up(id(2)));
    assert_eq!(client.poll_leg_request(), None);
}

/// Opens the TLS leg that was asked for, and sends the relay's first frame.
fn open_leg(client: &mut Relays, now: Instant) {
    client.set_tls_leg(id(2), true);
    let mut challenge = vec![0; 100];
    let greeting = Frame::Challenge(Challenge {
        tx: 0,
        cookie: Cookie([9; 32]),
    });
    let len = greeting.write(&mut challenge).unwrap();
    client.handle_frame(Leg::Tls(id(2)), Frame::parse(&challenge[..len]).unwrap(), now);
    let hello = client.poll_transmit().unwrap();
    assert_eq!(hello.leg, Leg::Tls(id(2)));
    let welcome = answer(2, &hello.bytes).unwrap();
    client.handle_frame(hello.leg, Frame::parse(&welcome).unwrap(), now);
    assert!(client.is_up(id(2)) && client.any_tls_leg_up());
}

#[test]
fn a_tls_leg_that_falls_silent_is_given_up_and_another_one_asked_for() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    run(&mut client, &mut now, Duration::from_millis(210), &[]);
    assert_eq!(client.poll_leg_request(), Some((id(2), true)));
    open_leg(&mut client, now);
    client.note_sent(id(2), now);
    run(&mut client, &mut now, Duration::from_secs(3), &[]);
    assert!(!client.is_up(id(2)));
    assert_eq!(client.poll_leg_request(), Some((id(2), false)));
    assert_eq!(client.poll_leg_request(), Some((id(2), true)));
    client.set_tls_leg(id(2), false);
    run(&mut client, &mut now, Duration::from_secs(1), &[]);
    assert_eq!(
        client.poll_leg_request(),
        None,
        "the end of the first one is no reason"
    );
    open_leg(&mut client, now);
}

#[test]
fn a_silent_relay_is_asked_over_tls_after_a_fifth_of_a_second() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    run(&mut client, &mut now, Duration::from_millis(190), &[]);
    assert_eq!(client.poll_leg_request(), None);
    run(&mut client, &mut now, Duration::from_millis(20), &[]);
    assert_eq!(client.poll_leg_request(), Some((id(2), true)));
    open_leg(&mut client, now);
    // UDP works again, so the TLS leg is not needed.
    run(&mut client, &mut now, Duration::from_secs(30), &[2]);
    assert_eq!(client.poll_leg_request(), Some((id(2), false)));
    assert_eq!(
        client.through(id(2), key(3).public()).unwrap().leg,
        Leg::Udp(address(2))
    );
}

#[test]
fn a_relay_that_forgot_us_is_greeted_at_once_and_a_dead_one_is_noticed() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    run(&mut client, &mut now, Duration::from_secs(1), &[2]);
    let end = Frame::End {
        session: SessionId(5),
        reason: Reason::NoSession,
    };
    client.handle_frame(Leg::Udp(address(2)), end, now);
    assert!(!client.is_up(id(2)));
    run(&mut client, &mut now, Duration::from_millis(10), &[2]);
    assert!(client.is_up(id(2)));
    client.note_sent(id(2), now);
    run(&mut client, &mut now, Duration::from_secs(7), &[]);
    assert!(!client.is_up(id(2)), "it did not answer for seconds");
}

#[test]
fn frames_of_strangers_are_not_believed() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    run(&mut client, &mut now, Duration::from_secs(1), &[2]);
    let end = |session| Frame::End {
        session: SessionId(session),
        reason: Reason::Leaving,
    };
    let data = Frame::Data(Data {
        session: SessionId(6),
        key: key(3).public(),
        payload: &[1],
    });
    for (from, frame) in [(address(2), end(6)), (address(9), end(5)), (address(2), data)] {
        assert_eq!(
            client.handle_frame(Leg::Udp(from), frame, now),
            Relayed::NotAuthentic
        );
    }
    assert!(client.is_up(id(2)));
}

#[test]
fn the_home_is_the_nearest_relay_unless_another_is_hardly_nearer_or_it_is_dead() {
    let now = Instant::now();
    let mut client = client(&[2, 3], now);
    let mut choose = |two: u64, three: u64| {
        client.choose_home(
            |relay| Some(Duration::from_millis(if relay == id(2) { two } else { three })),
            now,
        );
        client.home().unwrap()
    };
    assert_eq!(choose(20, 10), id(3));
    assert_eq!(choose(9, 10), id(3));
    assert_eq!(choose(5, 100), id(2));
    let mut later = now;
    run(&mut client, &mut later, Duration::from_secs(4), &[3]);
    client.choose_home(
        |relay| Some(Duration::from_millis(if relay == id(2) { 5 } else { 100 })),
        later,
    );
    assert_eq!(client.home(), Some(id(3)));
}

#[test]
fn it_listens_at_a_second_relay_before_the_first_one_dies() {
    let mut now = Instant::now();
    let mut client = client(&[2, 3, 4], now);
    run(&mut client, &mut now, Duration::from_secs(1), &[2, 3]);
    assert_eq!((client.home(), client.standby()), (Some(id(2)), Some(id(3))));
    assert!(client.is_up(id(2)) && client.is_up(id(3)) && !client.is_up(id(4)));
    client.doubt(id(2), now);
    run(&mut client, &mut now, Duration::from_millis(1300), &[3]);
    assert!(!client.is_up(id(2)) && client.is_up(id(3)));
}

#[test]
fn a_relay_that_peers_doubt_without_end_is_asked_once_until_it_answers() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    run(&mut client, &mut now, Duration::from_secs(1), &[2]);
    let asked: usize = (0..100)
        .map(|_| {
            client.doubt(id(2), now);
            run(&mut client, &mut now, Duration::from_millis(1), &[]).len()
        })
        .sum();
    assert_eq!(asked, 1);
    run(&mut client, &mut now, Duration::from_millis(300), &[2]);
    assert!(client.is_up(id(2)));
}

#[test]
fn a_relay_whose_addresses_change_without_end_is_greeted_now_and_then() {
    let mut now = Instant::now();
    let mut client = client(&[2], now);
    let mut greeted = 0;
    for port in 1..=1000 {
        let elsewhere = SocketAddr::from(([203, 0, 113, 9], port));
        client.set_addresses(id(2), vec![elsewhere], None, now);
        greeted += run(&mut client, &mut now, Duration::from_millis(10), &[]).len();
    }
    assert!((5..=40).contains(&greeted), "{greeted}");
}

#[test]
fn two_relays_at_one_address_are_told_apart_by_their_keys() {
    for near in [None, Some(address(2))] {
        let mut now = Instant::now();
        // Both relays have the same address in their own networks; the one in this network answers first.
        let mut client = client_of(&[(2, vec![2]), (3, vec![2, 3])], now);
        client.set_needed([id(2), id(3)].into());
        let end = now + Duration::from_secs(3);
        while now < end {
            client.handle_timeout(|_| near, now);
            let sent: Vec<_> = std::iter::from_fn(|| client.poll_transmit()).collect();
            for transmit in sent {
                let Leg::Udp(to) = transmit.leg else { continue };
                let relay = [2, 3].into_iter().find(|n| address(*n) == to).unwrap();
                if let Some(bytes) = answer(relay, &transmit.bytes) {
                    client.handle_frame(transmit.leg, Frame::parse(&bytes).unwrap(), now);
                }
            }
            now += Duration::from_millis(1);
        }
        for relay in [2, 3] {
            assert_eq!(
                client
                    .through(id(relay), key(3).public())
                    .map(|through| through.leg),
                Some(Leg::Udp(address(relay))),
                "nearest: {near:?}"
            );
        }
    }
}

#[test]
fn each_of_two_relays_at_one_address_is_heard_by_its_own_session() {
    let mut now = Instant::now();
    let mut client = client_of(&[(2, vec![2, 3]), (3, vec![3, 2])], now);
    client.set_needed([id(2), id(3)].into());
    run(&mut client, &mut now, Duration::from_secs(3), &[2, 3]);
    for relay in [2, 3] {
        let data = Frame::Data(Data {
            session: session_at(relay),
            key: key(9).public(),
            payload: &[1],
        });
        let heard = client.handle_frame(Leg::Udp(address(relay)), data, now);
        assert_eq!(
            heard,
            Relayed::Data {
                relay: id(relay),
                source: key(9).public(),
                payload: &[1]
            }
        );
    }
}

#[test]
fn a_relay_that_refuses_everywhere_is_asked_again_after_half_a_minute() {
    let mut now = Instant::now();
    let mut client = client_of(&[(2, vec![3])], now);
    let sent = run(&mut client, &mut now, Duration::from_secs(29), &[3]);
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(!run(&mut client, &mut now, Duration::from_secs(4), &[3]).is_empty());
}
