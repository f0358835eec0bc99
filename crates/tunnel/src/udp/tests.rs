//! Over loopback: what is sent arrives, in its pieces, whichever family it takes.

use super::run::Outbox;
use super::{Inbox, Socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::net::SocketAddr;
use std::time::Instant;

fn received(socket: &Socket, count: usize) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut inbox = Inbox::new();
    let mut all = Vec::new();
    while all.len() < count {
        let limit = Timespec {
            tv_sec: 5,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit)).unwrap();
        assert!(ready > 0, "{} of {count} datagrams came", all.len());
        for number in 0..socket.receive(&mut inbox).unwrap() {
            let (source, datagrams) = inbox.run(number);
            all.extend(datagrams.map(|datagram| (source, datagram.to_vec())));
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
            assert_eq!(source, SocketAddr::new(address.parse().unwrap(), from.port()));
            assert_eq!(datagram, vec![number as u8; sizes[number]]);
        }
    }
}

#[test]
fn a_destination_that_refuses_runs_gets_datagrams_one_by_one() {
    let [mut from, to] = [0, 0].map(|port| Socket::bind(port).unwrap());
    let destination = SocketAddr::new("127.0.0.1".parse().unwrap(), to.port());
    let now = Instant::now();
    // More segments than Linux takes in one go.
    from.send(destination, &[7; 200], 1, now).unwrap();
    assert_eq!(received(&to, 200).len(), 200);
    assert_eq!(from.longest_run(destination, now), 1);
    assert_eq!(from.longest_run(destination, now + super::REFUSED), 64);
}

#[test]
fn a_port_that_is_taken_is_an_error_and_not_another_port() {
    let first = Socket::bind(0).unwrap();
    let error = Socket::bind(first.port()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
