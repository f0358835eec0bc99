//! A collection ends with what the controller last sent, in whatever order lists and frames arrive.

use super::*;
use crate::data::api::Why;
use flotilla_protocol::{activity::Activity, api::Row, inventory::Stack};
use proptest::prelude::*;

const DEVICES: [&str; 2] = [
    "01937c5e-7b1a-7c3e-8b9e-0123456789ab",
    "01937c5e-7b1a-7c3e-8b9e-0123456789ac",
];

fn row(device: usize, name: &str, running: u32) -> Row<Stack> {
    Row {
        device: "nas".parse().unwrap(),
        device_id: DEVICES[device].parse().unwrap(),
        item: Stack {
            name: name.to_owned(),
            services: vec![],
            running,
            total: 9,
            unhealthy: 0,
            config_files: vec![],
            folders: vec![],
        },
        as_of: "2026-01-02T03:04:06Z".parse().unwrap(),
    }
}

fn list(items: Vec<Row<Stack>>, seq: u64) -> List<Row<Stack>> {
    List {
        items,
        unreachable_devices: vec![],
        seq,
    }
}

/// What a collection does with a list that was just asked for.
fn fill<T: Keyed>(collection: &mut Collection<T>, list: List<T>) {
    let ticket = collection.begin(NOW);
    collection.take(ticket, Ok(list), NOW);
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn shown(collection: &Collection<Row<Stack>>) -> Vec<(String, u32)> {
    collection
        .rows()
        .values()
        .map(|row| (row.item.name.clone(), row.item.running))
        .collect()
}

#[test]
fn changes_before_the_first_load_are_left_to_the_list() {
    let mut collection = Collection::default();
    assert!(!collection.apply(1, Change::Upsert(row(0, "media", 1))));
    assert!(collection.rows().is_empty());
}

#[test]
fn a_frame_newer_than_the_list_that_was_on_its_way_wins() {
    let mut collection = Collection::default();
    let ticket = collection.begin(NOW);
    collection.apply(7, Change::Upsert(row(0, "media", 2)));
    collection.apply(5, Change::Upsert(row(0, "edge", 9)));
    collection.take(
        ticket,
        Ok(list(vec![row(0, "media", 1), row(0, "edge", 1)], 5)),
        NOW,
    );
    assert_eq!(shown(&collection), [("edge".into(), 1), ("media".into(), 2)]);
}

#[test]
fn a_frame_after_a_failed_first_load_does_not_look_like_a_full_list() {
    let mut collection = Collection::default();
    let ticket = collection.begin(NOW);
    let failure = Failure::of(Why::Unreachable);
    collection.take(ticket, Err(failure.clone()), NOW);
    assert!(!collection.apply(1, Change::Upsert(row(0, "media", 1))));
    assert!(collection.rows().is_empty() && !collection.is_filled());
    assert_eq!(collection.load(), &Load::Failed(failure));
}

#[test]
fn of_two_overlapping_loads_the_older_answer_is_dropped() {
    let mut collection = Collection::default();
    let (older, newer) = (collection.begin(NOW), collection.begin(NOW));
    collection.take(newer, Ok(list(vec![row(0, "media", 2)], 8)), NOW);
    collection.take(older, Ok(list(vec![row(0, "media", 1)], 9)), NOW);
    collection.take(older, Err(Failure::of(Why::Unreachable)), NOW);
    assert_eq!(shown(&collection), [("media".into(), 2)]);
    assert!(collection.load().failure().is_none());
}

#[test]
fn a_reload_keeps_the_old_rows_until_the_new_ones_are_there() {
    let mut collection = Collection::default();
    fill(&mut collection, list(vec![row(0, "media", 1)], 1));
    let ticket = collection.begin(NOW);
    assert_eq!(shown(&collection), [("media".into(), 1)]);
    collection.apply(2, Change::Upsert(row(0, "media", 2)));
    collection.take(ticket, Err(Failure::of(Why::Unreachable)), NOW);
    assert_eq!(shown(&collection), [("media".into(), 2)]);
    fill(&mut collection, list(vec![], 3));
    assert!(shown(&collection).is_empty());
}

#[test]
fn what_did_not_change_is_not_painted_again() {
    let mut collection = Collection::default();
    fill(&mut collection, list(vec![row(0, "media", 1)], 1));
    let before = collection.rows().values().next().cloned().unwrap();
    assert!(!collection.apply(2, Change::Upsert(row(0, "media", 1))));
    fill(&mut collection, list(vec![row(0, "media", 1)], 3));
    assert!(Arc::ptr_eq(&before, collection.rows().values().next().unwrap()));
}

#[test]
fn a_list_older_than_the_first_frame_has_a_gap_until_it_is_loaded_again() {
    let mut collection = Collection::default();
    let ticket = collection.begin(NOW);
    collection.follow_from(5);
    assert!(!collection.has_gap());
    collection.take(ticket, Ok(list(vec![], 4)), NOW);
    assert!(collection.has_gap());
    // A controller that started again numbers its frames from the beginning.
    fill(&mut collection, list(vec![], 1));
    assert!(!collection.has_gap());
}

#[test]
fn clearing_a_device_leaves_the_others() {
    let mut collection = Collection::default();
    fill(
        &mut collection,
        list(vec![row(0, "media", 1), row(1, "edge", 1)], 1),
    );
    assert!(collection.apply(2, Change::Clear(DEVICES[0].parse().unwrap())));
    assert_eq!(shown(&collection), [("edge".into(), 1)]);
}

/// Entries of the activity log from the first id to the last, newest first.
fn entries(first: i64, last: i64) -> Vec<Activity> {
    let entry = |id| {
        let text = format!(
            r#"{{"id":{id},"at":"2026-01-02T03:04:06Z","actor":{{"kind":"owner"}},"action":"device_added","succeeded":true,"details":""}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    (first..=last).rev().map(entry).collect()
}

fn page(first: i64, last: i64) -> List<Activity> {
    List {
        items: entries(first, last),
        unreachable_devices: vec![],
        seq: 1,
    }
}

fn span(log: &Collection<Activity>) -> (i64, i64, usize) {
    let mut ids = log.rows().keys();
    (*ids.next().unwrap(), *ids.next_back().unwrap(), log.rows().len())
}

#[test]
fn older_pages_survive_a_reload_and_end_where_the_log_begins() {
    let mut log = Collection::default();
    fill(&mut log, page(301, 500));
    assert!(log.has_older());
    log.extend(&301, entries(101, 300));
    assert!(log.has_older());
    fill(&mut log, page(311, 510));
    assert_eq!(span(&log), (101, 510, 410));
    // The controller keeps 90 days, so the last page is short though it does not end with 1.
    log.extend(&101, entries(41, 100));
    assert!(!log.has_older());
    fill(&mut log, page(312, 511));
    assert_eq!(span(&log), (41, 511, 471));
    assert!(!log.has_older());
}

#[test]
fn older_pages_go_where_entries_are_missing_above_them() {
    let mut log = Collection::default();
    fill(&mut log, page(301, 500));
    log.extend(&301, entries(101, 300));
    let ticket = log.begin(NOW);
    log.apply(2, Change::Upsert(entries(901, 901).remove(0)));
    log.take(ticket, Ok(page(702, 901)), NOW);
    assert_eq!(span(&log), (702, 901, 200));
    assert!(log.has_older());
    // An answer to an earlier request: its entries come before 101, which is not the oldest entry here.
    log.extend(&101, entries(1, 100));
    assert_eq!(span(&log), (702, 901, 200));
}

#[test]
fn a_page_that_stays_open_keeps_only_the_newest_rows_and_can_load_the_others() {
    let mut log = Collection::default();
    fill(&mut log, page(1, 10));
    assert!(!log.has_older());
    let kept = i64::try_from(Activity::KEPT).unwrap();
    let entry = entries(11, 11).remove(0);
    for id in 11..=kept + 3 {
        log.apply(2, Change::Upsert(Activity { id, ..entry.clone() }));
    }
    assert_eq!(span(&log), (4, kept + 3, Activity::KEPT));
    assert!(log.has_older());
}

proptest! {
    /// The list may be made and may arrive at any point between the frames. The rows at the end are the same.
    #[test]
    fn the_moment_at_which_a_list_arrives_does_not_matter(
        frames in prop::collection::vec((0usize..2, "[abc]", 0u32..4), 0..12),
        answered_at in 0usize..12, arrives in 0usize..12,
    ) {
        let change = |(device, name, running): &(usize, String, u32)| {
            let row = row(*device, name, *running);
            if *running == 0 { Change::Remove(row.key()) } else { Change::Upsert(row) }
        };
        let numbered: Vec<_> = frames.iter().map(change).enumerate().map(|(n, c)| (n as u64 + 1, c)).collect();
        let answered_at = answered_at.min(numbered.len());
        let arrives = arrives.clamp(answered_at, numbered.len().max(answered_at));

        let mut server = Collection::default();
        fill(&mut server, list(vec![], 0));
        let mut answer = None;
        for (n, (seq, change)) in numbered.iter().enumerate() {
            if n == answered_at { answer = Some(list(server.rows().values().map(|row| (**row).clone()).collect(), n as u64)); }
            server.apply(*seq, change.clone());
        }
        let answer = answer.unwrap_or_else(|| {
            list(server.rows().values().map(|row| (**row).clone()).collect(), numbered.len() as u64)
        });

        let mut page = Collection::default();
        let ticket = page.begin(NOW);
        for (seq, change) in &numbered[..arrives] { page.apply(*seq, change.clone()); }
        page.take(ticket, Ok(answer), NOW);
        for (seq, change) in &numbered[arrives..] { page.apply(*seq, change.clone()); }
        prop_assert_eq!(shown(&page), shown(&server));
    }
}
