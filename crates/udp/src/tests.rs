//! Over loopback: runs arrive as their datagrams, by either family, and what one destination refuses changes nothing
//! for others.

use super::{Inbox, Route, Sent, Socket};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu_discover, ipv6_mtu_discover};
use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

fn bound(address: &str) -> Socket {
    Socket::bind(SocketAddr::new(address.parse().unwrap(), 0), 1 << 20).unwrap()
}

fn to(address: &str, socket: &Socket) -> Route {
    let port = socket.local_addr().unwrap().port();
    Route {
        remote: SocketAddr::new(address.parse().unwrap(), port),
        local: None,
    }
}

/// Each datagram with its route.
fn received(socket: &Socket, count: usize) -> Vec<(Route, Vec<u8>)> {
    let (mut inbox, mut all, begun) = (Inbox::<4>::default(), Vec::new(), Instant::now());
    while all.len() < count {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{} of {count} datagrams came",
            all.len()
        );
        if socket.receive(&mut inbox).is_err() {
            thread::yield_now();
        }
        for received in inbox.runs() {
            let datagrams = received.run.chunks(received.size);
            all.extend(datagrams.map(|datagram| (received.from, datagram.to_vec())));
        }
    }
    all
}

#[test]
fn a_long_run_arrives_as_the_datagrams_that_went_into_it() {
    let [from, there] = ["::", "::"].map(bound);
    for address in ["127.0.0.1", "::1"] {
        let contents: Vec<u8> = (0..150u8)
            .flat_map(|number| [number; 1000])
            .chain([9; 10])
            .collect();
        let sent = from.send(to(address, &there), &contents, 1000, Instant::now());
        assert_eq!((sent.done, sent.lost), (contents.len(), 0), "{sent:?}");
        let all = received(&there, 151);
        for ((_, datagram), expected) in all.iter().zip(contents.chunks(1000)) {
            assert_eq!(datagram, expected);
        }
    }
}

#[test]
fn no_family_fragments_on_either_kind_of_socket() {
    let [both, one] = ["::", "0.0.0.0"].map(bound);
    for socket in [&both, &one] {
        let discover = ip_mtu_discover(socket).unwrap();
        assert_eq!(discover, Ipv4PathMtuDiscovery::PROBE);
    }
    assert_eq!(ipv6_mtu_discover(&both).unwrap(), Ipv6PathMtuDiscovery::PROBE);
}

#[test]
fn a_datagram_that_is_too_large_is_told_and_costs_only_itself() {
    let [from, there] = ["::", "::"].map(bound);
    for address in ["127.0.0.1", "::1"] {
        let run = [vec![1; 65_536], vec![2; 3000]].concat();
        let sent = from.send(to(address, &there), &run, 65_536, Instant::now());
        assert_eq!((sent.lost, sent.too_large), (1, Some(65_536)), "{sent:?}");
        assert_eq!((sent.done, sent.error.is_none()), (run.len(), true));
        assert_eq!(received(&there, 1)[0].1, vec![2; 3000]);
        assert_eq!(from.longest_run(to(address, &there).remote, Instant::now()), 64);
    }
}

#[test]
fn a_destination_that_refuses_a_run_gets_single_datagrams_and_the_others_still_get_runs() {
    let [from, there, other] = ["::", "::", "::"].map(bound);
    let [there_route, other_route] = [&there, &other].map(|socket| to("127.0.0.1", socket));
    let now = Instant::now();
    // More than Linux takes in one call.
    let run = [7; 200];
    let refused = from.send_part(there_route, &run, 1, &mut Sent::default());
    assert!(crate::refusal::is_of_a_run(&refused.unwrap_err()));
    let mut sent = Sent::default();
    assert!(from.send_singly(there_route, &run, 1, &mut sent, now));
    assert_eq!(received(&there, 200).len(), 200);
    let longest = |route: Route, now| from.longest_run(route.remote, now);
    assert_eq!(longest(there_route, now), 1);
    assert_eq!(longest(other_route, now), 64);
    assert_eq!(
        longest(there_route, now + Duration::from_secs(61)),
        64,
        "it is tried again"
    );
    let sent = from.send(other_route, &run, 1, now);
    assert_eq!((sent.done, sent.lost), (200, 0));
    assert_eq!(received(&other, 200).len(), 200);
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let [asking, asked] = ["::", "::"].map(bound);
    for address in ["127.0.0.1", "127.0.0.2", "::1"] {
        let now = Instant::now();
        asking.send(to(address, &asked), b"where?", 6, now);
        let (route, _) = received(&asked, 1).remove(0);
        asked.send(route, b"here", 4, now);
        let (answer, _) = received(&asking, 1).remove(0);
        assert_eq!(answer.remote.ip().to_canonical().to_string(), address);
    }
}

#[test]
fn an_own_address_that_is_gone_is_told_and_not_insisted_on() {
    let [from, there] = ["::", "::"].map(bound);
    for (address, gone) in [("127.0.0.1", "192.0.2.77"), ("::1", "2001:db8::77")] {
        let route = Route {
            local: Some(gone.parse().unwrap()),
            ..to(address, &there)
        };
        let sent = from.send(route, &[1; 50], 10, Instant::now());
        assert_eq!(
            (sent.done, sent.lost, sent.source_gone),
            (50, 0, true),
            "{sent:?}"
        );
        assert_eq!(received(&there, 5).len(), 5);
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_and_not_another_port() {
    let first = bound("::");
    let again = Socket::bind(first.local_addr().unwrap(), 1 << 20).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AddrInUse);
}
