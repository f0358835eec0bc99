//! What a device in memory says of itself: its status, its counts, and how old its rows are.

use super::*;
use crate::store::{
    Imposter,
    tests::{device, moment},
};
use flotilla_protocol::inventory::Item;

fn enrolled() -> DeviceEntry {
    let mut row = device("nas", 1);
    row.enrolled = Some(moment(1));
    row.last_seen = Some(moment(5));
    DeviceEntry::new(row, None, LastReport::default())
}

#[test]
fn status_follows_trust_first_and_the_link_then() {
    let mut entry = DeviceEntry::new(device("nas", 1), None, LastReport::default());
    assert_eq!(entry.status(), DeviceStatus::Pending);
    entry = enrolled();
    assert_eq!(entry.status(), DeviceStatus::Offline);
    entry.presence = PresenceState::Reconnecting;
    assert_eq!(entry.status(), DeviceStatus::Reconnecting);
    entry.presence = PresenceState::Online;
    assert_eq!(entry.status(), DeviceStatus::Online);
    entry.row.revoked = Some(moment(7));
    assert_eq!(entry.status(), DeviceStatus::Revoked);
}

#[test]
fn a_device_is_quarantined_while_only_its_copy_was_heard_of() {
    let mut entry = enrolled();
    entry.row.imposter = Some(Imposter {
        hostname: "copy".into(),
        address: "192.0.2.7".into(),
        at: moment(6),
        contests: None,
    });
    assert_eq!(entry.status(), DeviceStatus::Quarantined);
    entry.row.last_seen = Some(moment(7));
    assert_eq!(
        entry.status(),
        DeviceStatus::Offline,
        "the original was there after its copy"
    );
}

#[test]
fn containers_are_counted_by_the_rule_that_says_what_trouble_is() {
    let mut entry = enrolled();
    let container = |id: &str, state: &str, health: &str, exit_code: i64| {
        serde_json::from_value(serde_json::json!({
            "id": id, "name": id, "image": "b", "state": state, "status": "", "health": health, "ports": [],
            "created": "2026-01-01T00:00:00Z", "exit_code": exit_code,
        }))
        .unwrap()
    };
    for container in [
        container("1", "running", "unhealthy", 0),
        container("2", "exited", "unhealthy", 137),
        container("3", "exited", "none", 3),
        container("4", "running", "none", 0),
    ] {
        assert!(entry.last_report.inventory.put(Item::Container(container).into()));
    }
    let counts = entry.container_counts();
    assert_eq!(
        (counts.total, counts.running, counts.unhealthy, counts.troubled),
        (4, 2, 1, 2)
    );
    entry.presence = PresenceState::Online;
    let range = "100.64.0.0/16".parse().unwrap();
    assert!(entry.view(moment(7), range).needs_attention());
    entry.presence = PresenceState::Reconnecting;
    assert!(!entry.view(moment(7), range).needs_attention());
}

#[test]
fn rows_of_a_device_that_is_away_are_as_old_as_its_last_sign() {
    let mut entry = enrolled();
    assert_eq!(entry.as_of(moment(100)), moment(5));
    let unreachable = entry.unreachable(|_| "at 09:12".into()).unwrap();
    assert_eq!(unreachable.reason, "nas is offline. It was last seen at 09:12.");
    entry.link = Some(LinkUp {
        since: moment(6),
        remote: "192.0.2.7".into(),
        rtt_ms: None,
    });
    entry.presence = PresenceState::Online;
    assert_eq!(entry.as_of(moment(100)), moment(100));
    assert_eq!(entry.unreachable(|_| String::new()), None);
}

#[test]
fn rows_are_as_old_as_the_silence_of_their_engine_although_the_device_is_online() {
    let mut entry = enrolled();
    entry.link = Some(LinkUp {
        since: moment(6),
        remote: "192.0.2.7".into(),
        rtt_ms: None,
    });
    entry.last_report.engine = Some(EngineState::Unfit {
        reason: "It does not answer.".into(),
        since: Some(moment(50)),
    });
    assert_eq!(entry.row((), moment(100)).as_of, moment(50));
    assert_eq!(
        entry.as_of(moment(100)),
        moment(100),
        "the device itself is heard"
    );
    entry.last_report.clock_skew_seconds = Some(-20);
    assert_eq!(
        entry.row((), moment(100)).as_of,
        moment(70),
        "the device's clock is behind"
    );
    entry.last_report.clock_skew_seconds = Some(-3600);
    assert_eq!(entry.row((), moment(100)).as_of, moment(100));
    assert_eq!(entry.silent_engine(), None, "it held nothing");
    let volume = serde_json::json!({"kind": "volume", "name": "a", "driver": "local", "used_by": []});
    let volume: Item = serde_json::from_value(volume).unwrap();
    assert!(entry.last_report.inventory.put(volume.into()));
    assert!(
        entry
            .silent_engine()
            .unwrap()
            .reason
            .ends_with("It does not answer.")
    );
}
