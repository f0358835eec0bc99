//! The log over its whole life: written, listed, verified, trimmed.

use super::*;
use crate::store::tests::{moment, open};

fn entry(details: &str) -> NewActivity {
    NewActivity::new(Actor::Owner, Action::DeviceAdded, details)
}

/// A log with this many entries, one per second.
async fn log(length: i64) -> (Store, tempfile::TempDir) {
    let (store, dir) = open().await;
    for n in 1..=length {
        let entry = entry(&n.to_string());
        store.append_activity(entry, moment(n)).await.unwrap();
    }
    (store, dir)
}

async fn meddle(store: &Store, sql: &'static str) {
    sqlx::query(sql).execute(&store.writer).await.unwrap();
}

async fn faulty(store: &Store) -> Option<(i64, ActivityFault)> {
    let faulty = store.verify_activity().await.unwrap().faulty;
    faulty.map(|faulty| (faulty.id, faulty.fault))
}

#[tokio::test]
async fn entries_are_numbered_from_one_and_listed_newest_first() {
    let (store, _dir) = log(3).await;
    let ids = |entries: Vec<Activity>| entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!(ids(store.list_activity(None, 2, None).await.unwrap()), [3, 2]);
    assert_eq!(ids(store.list_activity(Some(2), 2, None).await.unwrap()), [1]);
}

#[tokio::test]
async fn entries_about_some_devices_fill_their_pages_without_others() {
    let (store, _dir) = log(2).await;
    let [ours, theirs] = [1, 2].map(|nth| DeviceId(uuid::Uuid::from_u128(nth)));
    for (n, device) in [ours, theirs, theirs, ours].into_iter().enumerate() {
        let about = (device, "nas".to_owned());
        let entry = NewActivity {
            device: Some(about),
            ..entry(&n.to_string())
        };
        store.append_activity(entry, moment(9)).await.unwrap();
    }
    let listed = |before, devices: &[DeviceId]| {
        let devices = devices.iter().copied().collect();
        let store = store.clone();
        async move {
            let entries = store.list_activity(before, 1, Some(&devices)).await.unwrap();
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(listed(None, &[ours]).await, [6]);
    assert_eq!(listed(Some(6), &[ours]).await, [3]);
    assert!(listed(None, &[]).await.is_empty());
}

#[tokio::test]
async fn a_log_that_was_not_changed_verifies_over_several_batches() {
    let (store, _dir) = log(0).await;
    assert_eq!(
        store.verify_activity().await.unwrap(),
        ActivityVerified::default()
    );
    let (store, _dir) = log(i64::from(BATCH) + 7).await;
    let verified = store.verify_activity().await.unwrap();
    assert_eq!(
        (verified.entries, verified.first, verified.last, verified.faulty),
        (507, Some(1), Some(507), None)
    );
}

#[tokio::test]
async fn the_first_entry_that_was_edited_or_removed_is_named() {
    use ActivityFault::{Changed, Missing};
    for (sql, expected) in [
        ("UPDATE activity SET details = 'x' WHERE id = 2", (2, Changed)),
        ("UPDATE activity SET actor = 'other' WHERE id = 3", (3, Changed)),
        ("UPDATE activity SET hash = x'00' WHERE id = 4", (4, Changed)),
        ("UPDATE activity SET at = at + 1 WHERE id >= 4", (4, Changed)),
        ("DELETE FROM activity WHERE id = 1", (1, Missing)),
        ("DELETE FROM activity WHERE id IN (3, 4)", (3, Missing)),
    ] {
        let (store, _dir) = log(5).await;
        meddle(&store, sql).await;
        assert_eq!(faulty(&store).await, Some(expected), "{sql}");
    }
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_and_the_rest_still_verifies() {
    let (store, _dir) = log(20).await;
    assert!(!store.trim_activity(moment(1), 20, 5).await.unwrap());
    assert!(
        store.trim_activity(moment(11), 1_000, 6).await.unwrap(),
        "in batches"
    );
    assert!(!store.trim_activity(moment(11), 1_000, 6).await.unwrap());
    let verified = store.verify_activity().await.unwrap();
    assert_eq!(
        (verified.first, verified.entries, verified.faulty),
        (Some(11), 10, None)
    );
    assert!(!store.trim_activity(moment(0), 4, 100).await.unwrap());
    let verified = store.verify_activity().await.unwrap();
    assert_eq!(
        (verified.first, verified.entries, verified.faulty),
        (Some(17), 4, None)
    );
    let next = store.append_activity(entry("next"), moment(21)).await.unwrap();
    assert_eq!((next.id, faulty(&store).await), (21, None));
    meddle(&store, "DELETE FROM activity WHERE id = 17").await;
    assert_eq!(faulty(&store).await, Some((17, ActivityFault::Missing)));
}

#[tokio::test]
async fn the_newest_entry_stays_however_old_it_is() {
    let (store, _dir) = log(3).await;
    assert!(!store.trim_activity(moment(1_000), 0, 100).await.unwrap());
    assert_eq!(store.list_activity(None, 9, None).await.unwrap().len(), 1);
    let next = store.append_activity(entry("next"), moment(1_001)).await.unwrap();
    assert_eq!((next.id, faulty(&store).await), (4, None));
}

#[tokio::test]
async fn a_sentence_has_an_end() {
    let (store, _dir) = open().await;
    let long = entry(&"é".repeat(1_000_000));
    let kept = store.append_activity(long, moment(1)).await.unwrap();
    assert_eq!(kept.details.chars().count(), DETAILS_CHARS);
    assert_eq!(faulty(&store).await, None);
}
