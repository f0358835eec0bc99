//! A collection ends with what the controller last sent, in whatever order lists and frames arrive.

use super::*;
use flotilla_protocol::{api::Row, inventory::Stack};
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
    collection.begin();
    collection.apply(7, Change::Upsert(row(0, "media", 2)));
    collection.apply(5, Change::Upsert(row(0, "edge", 9)));
    collection.fill(list(vec![row(0, "media", 1), row(0, "edge", 1)], 5));
    assert_eq!(shown(&collection), [("edge".into(), 1), ("media".into(), 2)]);
}

#[test]
fn a_reload_keeps_the_old_rows_until_the_new_ones_are_there() {
    let mut collection = Collection::default();
    collection.begin();
    collection.fill(list(vec![row(0, "media", 1)], 1));
    collection.begin();
    assert_eq!(shown(&collection), [("media".into(), 1)]);
    collection.fail(Failure::Unreachable);
    assert_eq!(shown(&collection), [("media".into(), 1)]);
    collection.begin();
    collection.fill(list(vec![], 2));
    assert!(shown(&collection).is_empty());
}

#[test]
fn what_did_not_change_is_not_painted_again() {
    let mut collection = Collection::default();
    collection.begin();
    collection.fill(list(vec![row(0, "media", 1)], 1));
    let before = collection.rows().values().next().cloned().unwrap();
    assert!(!collection.apply(2, Change::Upsert(row(0, "media", 1))));
    collection.begin();
    collection.fill(list(vec![row(0, "media", 1)], 3));
    assert!(Arc::ptr_eq(&before, collection.rows().values().next().unwrap()));
}

#[test]
fn a_list_older_than_the_first_frame_has_a_gap_until_it_is_loaded_again() {
    let mut collection = Collection::default();
    collection.begin();
    collection.follow_from(5);
    assert!(!collection.has_gap());
    collection.fill(list(vec![], 4));
    assert!(collection.has_gap());
    collection.begin();
    // A controller that started again numbers its frames from the beginning.
    collection.fill(list(vec![], 1));
    assert!(!collection.has_gap());
}

#[test]
fn clearing_a_device_leaves_the_others() {
    let mut collection = Collection::default();
    collection.begin();
    collection.fill(list(vec![row(0, "media", 1), row(1, "edge", 1)], 1));
    assert!(collection.apply(2, Change::Clear(DEVICES[0].parse().unwrap())));
    assert_eq!(shown(&collection), [("edge".into(), 1)]);
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
        server.begin();
        server.fill(list(vec![], 0));
        let mut answer = None;
        for (n, (seq, change)) in numbered.iter().enumerate() {
            if n == answered_at { answer = Some(list(server.rows().values().map(|row| (**row).clone()).collect(), n as u64)); }
            server.apply(*seq, change.clone());
        }
        let answer = answer.unwrap_or_else(|| {
            list(server.rows().values().map(|row| (**row).clone()).collect(), numbered.len() as u64)
        });

        let mut page = Collection::default();
        page.begin();
        for (seq, change) in &numbered[..arrives] { page.apply(*seq, change.clone()); }
        page.fill(answer);
        for (seq, change) in &numbered[arrives..] { page.apply(*seq, change.clone()); }
        prop_assert_eq!(shown(&page), shown(&server));
    }
}
