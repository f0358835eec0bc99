//! Peers whose messages change all the time, to make this end send to addresses of their choice.

use super::*;

/// How many pings do not go through the relay.
fn pings(sent: &[(Way, Query)]) -> usize {
    let direct = sent.iter().filter(|(way, _)| *way != Way::Relay);
    direct.count()
}

fn victim(port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], port))
}

#[test]
fn candidates_that_change_all_the_time_are_probed_in_rounds_that_are_a_second_apart_at_least() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(5), |_| None);
    let mut sent = vec![];
    for step in 1..=1500 {
        ends.paths.handle_call(&[victim(step)], &near(), ends.now);
        sent.extend(ends.run(Duration::from_millis(40), |_| None));
    }
    // Rounds that were each cut short after a second would make 240 in a minute.
    assert!((20..=150).contains(&pings(&sent)), "{}", pings(&sent));
    let calls = sent
        .iter()
        .filter(|(_, query)| *query == Query::Candidates)
        .count();
    assert!(calls <= 60, "{calls}");
    sent = ends.run(Duration::from_secs(5), |_| None);
    let newest = Way::Direct(victim(1500));
    let at_newest = sent.iter().filter(|(way, _)| *way == newest).count();
    assert!((6..=12).contains(&at_newest), "{at_newest}");
}

#[test]
fn what_is_told_within_a_second_is_probed_when_it_is_over() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_millis(2500), |_| None);
    ends.paths.handle_call(&[victim(1)], &near(), ends.now);
    ends.run(Duration::from_millis(50), |_| None);
    for port in 2..=4 {
        ends.paths.set_candidates(&[victim(port)], &near(), ends.now);
    }
    let sent = ends.run(Duration::from_millis(40), |_| None);
    assert_eq!(pings(&sent), 0, "{sent:?}");
    let sent = ends.run(Duration::from_millis(1000), |_| None);
    let pings_to = |port| {
        sent.iter()
            .filter(|(way, _)| *way == Way::Direct(victim(port)))
            .count()
    };
    assert_eq!((pings_to(1), pings_to(2), pings_to(3)), (0, 0, 0));
    assert!(pings_to(4) > 3, "{}", pings_to(4));
}

#[test]
fn calls_without_pause_are_answered_now_and_then() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(5), |_| None);
    let mut sent = vec![];
    for _ in 0..600 {
        ends.paths.handle_call(&[at(PUBLIC)], &near(), ends.now);
        sent.extend(ends.run(Duration::from_millis(100), |_| None));
    }
    assert!((20..=150).contains(&pings(&sent)), "{}", pings(&sent));
}

#[test]
fn pings_from_ever_other_addresses_are_not_all_pinged_back() {
    let mut ends = Ends::new(&[PUBLIC]);
    ends.run(Duration::from_secs(5), |_| None);
    for port in 1..=1000 {
        ends.paths
            .handle_ping(Way::Direct(victim(port)), &near(), ends.now);
    }
    let sent = ends.run(Duration::ZERO, |_| None);
    assert!((1..=8).contains(&pings(&sent)), "{}", pings(&sent));
    ends.now += Duration::from_secs(1);
    ends.paths.handle_ping(Way::Direct(victim(1)), &near(), ends.now);
    let sent = ends.run(Duration::ZERO, |_| None);
    assert!(
        sent.iter().any(|(way, _)| *way == Way::Direct(victim(1))),
        "{sent:?}"
    );
}

#[test]
fn an_address_that_is_no_machines_is_not_learned() {
    let mut ends = Ends::new(&[]);
    ends.run(Duration::from_secs(5), |_| None);
    for nowhere in [
        "127.0.0.1:7",
        "224.0.0.1:7",
        "255.255.255.255:7",
        "[::1]:7",
        "[ff02::1]:7",
        "0.0.0.0:7",
    ] {
        ends.paths
            .handle_ping(Way::Direct(at(nowhere)), &near(), ends.now);
        ends.paths
            .handle_heard(Way::Direct(at(nowhere)), &near(), ends.now);
    }
    let sent = ends.run(Duration::from_secs(600), |_| Some(10));
    assert_eq!(pings(&sent), 0);
}
