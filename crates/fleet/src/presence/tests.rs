//! Presence against a reference that keeps every link and derives the state from all of them.

use super::*;
use proptest::prelude::*;

fn device(number: u8) -> DeviceId {
    format!("01937c5e-7b1a-7c3e-8b9e-0000000000{number:02x}")
        .parse()
        .unwrap()
}

fn drained(presence: &mut Presence) -> Vec<PresenceState> {
    std::iter::from_fn(|| presence.poll_change())
        .map(|change| change.state)
        .collect()
}

#[test]
fn a_device_that_loses_its_link_reconnects_and_then_is_offline() {
    let start = Instant::now();
    let mut presence = Presence::default();
    presence.handle_up(device(1), 1);
    presence.handle_down(device(1), 1, start);
    assert_eq!(
        drained(&mut presence),
        [PresenceState::Online, PresenceState::Reconnecting]
    );
    let (due, _) = presence.poll_timeout().unwrap();
    assert_eq!(due - start, Duration::from_secs(45));
    presence.handle_timeout(due - Duration::from_nanos(1));
    assert_eq!(drained(&mut presence), []);
    presence.handle_timeout(due);
    assert_eq!(drained(&mut presence), [PresenceState::Offline]);
    assert_eq!(presence.poll_timeout(), None);
}

#[test]
fn a_link_that_was_superseded_does_not_take_its_device_offline() {
    let mut presence = Presence::default();
    presence.handle_up(device(1), 1);
    presence.handle_up(device(1), 2);
    presence.handle_down(device(1), 1, Instant::now());
    assert_eq!(presence.state(device(1)), PresenceState::Online);
    assert_eq!(drained(&mut presence), [PresenceState::Online]);
}

#[test]
fn after_a_restart_of_control_known_devices_have_time_to_come_back() {
    let start = Instant::now();
    let mut presence = Presence::default();
    presence.handle_known(device(1), start);
    presence.handle_known(device(2), start);
    presence.handle_up(device(1), 1);
    presence.handle_timeout(start + Duration::from_secs(45));
    assert_eq!(presence.state(device(1)), PresenceState::Online);
    assert_eq!(presence.state(device(2)), PresenceState::Offline);
}

#[test]
fn a_revoked_device_is_not_waited_for() {
    let mut presence = Presence::default();
    presence.handle_up(device(1), 1);
    presence.handle_gone(device(1));
    presence.handle_down(device(1), 1, Instant::now());
    assert_eq!(presence.poll_timeout(), None);
    assert_eq!(presence.state(device(1)), PresenceState::Offline);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Up(u8),
    /// Ends the nth link that ever was, when there is one.
    Down(usize),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0u8..3).prop_map(Event::Up),
        (0usize..30).prop_map(Event::Down),
        (0u64..60).prop_map(Event::Wait),
    ]
}

proptest! {
    #[test]
    fn presence_is_what_the_newest_link_and_the_clock_say(events in proptest::collection::vec(event(), 0..60)) {
        let mut now = Instant::now();
        let mut presence = Presence::default();
        let mut links: Vec<(u8, Option<Instant>)> = Vec::new();
        let mut seen = [PresenceState::Offline; 3];
        for event in events {
            match event {
                Event::Up(number) => {
                    links.push((number, None));
                    presence.handle_up(device(number), links.len() as u64);
                }
                Event::Down(at) => if let Some((number, ended @ None)) = links.get_mut(at) {
                    *ended = Some(now);
                    presence.handle_down(device(*number), at as u64 + 1, now);
                },
                Event::Wait(seconds) => {
                    now += Duration::from_secs(seconds);
                    presence.handle_timeout(now);
                }
            }
            while let Some(change) = presence.poll_change() {
                let number = (0..3).find(|number| device(*number) == change.device).unwrap();
                prop_assert_ne!(seen[usize::from(number)], change.state);
                seen[usize::from(number)] = change.state;
            }
            for number in 0..3u8 {
                let newest = links.iter().rfind(|(owner, _)| *owner == number);
                let expected = match newest {
                    None => PresenceState::Offline,
                    Some((_, None)) => PresenceState::Online,
                    Some((_, Some(ended))) if now - *ended < RECONNECTING => PresenceState::Reconnecting,
                    Some(_) => PresenceState::Offline,
                };
                prop_assert_eq!(presence.state(device(number)), expected);
                prop_assert_eq!(seen[usize::from(number)], expected);
            }
        }
    }
}
