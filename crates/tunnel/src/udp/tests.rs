//! Over loopback: gathered datagrams arrive one by one, and answers leave from the address that was sent to.

use super::run::Outbox;
use super::{Inbox, Socket};
use flotilla_udp::Route;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::net::SocketAddr;
use std::time::Instant;

fn received(socket: &Socket, count: usize) -> Vec<(Route, Vec<u8>)> {
    let mut inbox = Inbox::default();
    let mut all = Vec::new();
    while all.len() < count {
        let limit = Timespec {
            tv_sec: 5,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit)).unwrap();
        assert!(ready > 0, "{} of {count} datagrams came", all.len());
        socket.receive(&mut inbox).unwrap();
        for received in inbox.runs() {
            let datagrams = received.run.chunks(received.size);
            all.extend(datagrams.map(|datagram| (received.from, datagram.to_vec())));
        }
    }
    all
}

#[test]
fn a_run_arrives_as_the_datagrams_that_went_into_it() {
    let [mut from, to] = [0, 0].map(|port| Socket::bind(port).unwrap());
    for address in ["127.0.0.1", "::1"] {
        let destination = SocketAddr::new(address.parse().unwrap(), to.port());
        let now = Instant::now();
        let mut outbox = Outbox::new();
        let sizes: Vec<usize> = [vec![1000; 150], vec![700], vec![1000; 3], vec![1200, 10]].concat();
        for (number, size) in sizes.iter().enumerate() {
            outbox.space()[..*size].fill(number as u8);
            outbox.add(*size, destination, &mut from, now);
        }
        outbox.flush(&mut from, now);
        assert_eq!(outbox.unsent(), 0);
        let all = received(&to, sizes.len());
        for (number, (source, datagram)) in all.into_iter().enumerate() {
            assert_eq!(source.remote.ip().to_canonical(), destination.ip());
            assert_eq!(source.remote.port(), from.port());
            assert_eq!(datagram, vec![number as u8; sizes[number]]);
        }
    }
}

#[test]
fn what_is_too_large_is_told_once_for_each_destination() {
    let [mut from, to] = [0, 0].map(|port| Socket::bind(port).unwrap());
    let destination = SocketAddr::new("127.0.0.1".parse().unwrap(), to.port());
    let now = Instant::now();
    let mut outbox = Outbox::new();
    for size in [65_600, 65_540, 65_580] {
        outbox.add(size, destination, &mut from, now);
    }
    outbox.flush(&mut from, now);
    assert_eq!(outbox.unsent(), 3);
    assert_eq!(outbox.poll_too_large(), Some((destination, 65_540)));
    assert_eq!(outbox.poll_too_large(), None);
}

#[test]
fn a_peer_is_answered_from_the_address_that_it_sent_to_until_our_addresses_change() {
    let [mut asking, mut asked] = [0, 0].map(|port| Socket::bind(port).unwrap());
    let second = SocketAddr::new("127.0.0.2".parse().unwrap(), asked.port());
    let now = Instant::now();
    asking.send(second, b"where?", 6, now);
    let (route, _) = received(&asked, 1).remove(0);
    asked.note_route(route);
    let answers = |asked: &mut Socket| {
        asked.send(route.remote, b"here", 4, now);
        let (answer, _) = received(&asking, 1).remove(0);
        answer.remote.ip().to_canonical()
    };
    assert_eq!(answers(&mut asked), second.ip());
    asked.forget_routes();
    assert_ne!(answers(&mut asked), second.ip());
}

#[test]
fn a_port_that_is_taken_is_an_error_and_not_another_port() {
    let first = Socket::bind(0).unwrap();
    let error = Socket::bind(first.port()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
