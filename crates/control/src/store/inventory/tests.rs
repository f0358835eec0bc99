//! Last reports that are written thing by thing, and read after whatever happened.

use super::*;
use crate::store::{
    DeviceRow, MIGRATIONS,
    devices::tests::device,
    tests::{moment, open},
};
use flotilla_protocol::inventory::{Container, Inventory, Item, Volume};
use serde_json::{from_value, json};
use sqlx::{SqlitePool, migrate::Migrator, sqlite::SqliteConnectOptions};
use std::{fs, path::Path};

/// A container whose row has about a kilobyte.
fn container(nth: usize, status: &str) -> Container {
    let labels = "x".repeat(700);
    from_value(json!({"id": format!("{nth:064x}"), "name": format!("web-{nth}"), "image": "nginx", "image_id": labels,
        "state": "running", "status": status, "health": "none", "ports": []}))
    .unwrap()
}

fn volume(name: &str) -> Volume {
    from_value(json!({"name": name, "driver": "local", "used_by": []})).unwrap()
}

fn report(containers: impl IntoIterator<Item = Container>) -> LastReport {
    let (inventory, partial) = Holdings::of(Inventory {
        containers: containers.into_iter().collect(),
        volumes: vec![volume("data")],
        ..Inventory::default()
    });
    LastReport {
        agent_version: Some("0.1.0".into()),
        inventory,
        partial,
        ..LastReport::default()
    }
}

async fn with_device() -> (Store, tempfile::TempDir, DeviceRow) {
    let (store, dir) = open().await;
    let nas = device("nas", 1);
    store.save_device(&nas).await.unwrap();
    (store, dir, nas)
}

async fn save(store: &Store, device: &DeviceRow, second: i64, last_report: &LastReport) {
    let saved = store.save_last_report(device.id, moment(second), last_report);
    saved.await.unwrap();
}

async fn number(store: &Store, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&store.writer).await.unwrap()
}

/// Runs `save`; answers how many rows it wrote, and how many bytes of pages.
async fn written(store: &Store, dir: &Path, save: impl Future<Output = ()>) -> (i64, u64) {
    number(store, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let before = number(store, "SELECT total_changes()").await;
    save.await;
    let rows = number(store, "SELECT total_changes()").await - before;
    (rows, fs::metadata(dir.join("flotilla.db-wal")).unwrap().len())
}

#[tokio::test]
async fn what_was_heard_last_is_kept_until_the_device_is_gone() {
    let (store, _dir) = open().await;
    let nas = device("nas", 1);
    let mut last_report = report([container(1, "Up")]);
    save(&store, &nas, 1, &last_report).await;
    assert!(
        store.list_last_reports().await.unwrap().is_empty(),
        "an unknown device has no inventory"
    );
    store.save_device(&nas).await.unwrap();
    save(&store, &nas, 1, &last_report).await;
    last_report.clock_skew_seconds = Some(-3);
    save(&store, &nas, 2, &last_report).await;
    assert_eq!(
        store.list_last_reports().await.unwrap(),
        BTreeMap::from([(nas.id, last_report)])
    );
    assert_eq!(store.list_devices().await.unwrap()[0].last_seen, Some(moment(2)));
    store.delete_device(nas.id).await.unwrap();
    assert!(store.list_last_reports().await.unwrap().is_empty());
    assert_eq!(number(&store, "SELECT COUNT(*) FROM items").await, 0);
}

#[tokio::test]
async fn a_change_of_one_container_among_2_000_writes_a_few_rows() {
    let (store, dir, nas) = with_device().await;
    let mut last_report = report((0..2000).map(|nth| container(nth, "Up")));
    let first = written(&store, dir.path(), save(&store, &nas, 1, &last_report)).await;
    assert!(first.0 > 2000 && first.1 > 1_500_000, "all at first: {first:?}");

    let changed = Item::Container(container(1000, "Exited (1)"));
    assert!(last_report.inventory.put(changed.into()));
    let (rows, bytes) = written(&store, dir.path(), save(&store, &nas, 2, &last_report)).await;
    assert_eq!(rows, 2, "the container, and when the device was seen");
    assert!(bytes < 32 << 10, "{bytes}");

    // The same once more, as a new link tells everything.
    let told_again = report(
        last_report
            .inventory
            .containers()
            .values()
            .map(|kept| (*kept.item).clone()),
    );
    let (rows, _) = written(&store, dir.path(), save(&store, &nas, 3, &told_again)).await;
    assert_eq!(rows, 1);
    let fewer = report((0..1999).map(|nth| container(nth, "Up")));
    let (rows, _) = written(&store, dir.path(), save(&store, &nas, 4, &fewer)).await;
    assert_eq!(rows, 3, "one is removed, and one runs again");
    assert_eq!(store.list_last_reports().await.unwrap()[&nas.id], fewer);
    // What was read is what the next save is compared with.
    let (rows, _) = written(&store, dir.path(), save(&store, &nas, 5, &told_again)).await;
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn a_control_that_ends_at_any_page_of_a_save_finds_the_old_state_or_the_new_one() {
    let (store, dir, nas) = with_device().await;
    let old = report((0..60).map(|nth| container(nth, "Up")));
    save(&store, &nas, 1, &old).await;
    number(&store, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut new = report((30..90).map(|nth| container(nth, "Exited (0)")));
    new.clock_skew_seconds = Some(7);
    save(&store, &nas, 2, &new).await;
    let [database, log] =
        ["flotilla.db", "flotilla.db-wal"].map(|file| fs::read(dir.path().join(file)).unwrap());
    store.close().await;

    let states = [(moment(1), old), (moment(2), new)];
    let mut found = [0, 0];
    // Half of a page with its header, so that some are torn.
    for cut in (0..log.len()).step_by((4096 + 24) / 2).chain([log.len()]) {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("flotilla.db"), &database).unwrap();
        fs::write(copy.path().join("flotilla.db-wal"), &log[..cut]).unwrap();
        let store = Store::open(&copy.path().join("flotilla.db")).await.unwrap();
        let read = (
            store.list_devices().await.unwrap()[0].last_seen.unwrap(),
            store.list_last_reports().await.unwrap().remove(&nas.id).unwrap(),
        );
        store.close().await;
        let state = states.iter().position(|state| *state == read);
        found[state.unwrap_or_else(|| panic!("cut at byte {cut}: a state that never was"))] += 1;
    }
    assert!(found[0] > 20 && found[1] > 0, "{found:?}");
}

#[tokio::test]
async fn a_save_that_is_dropped_half_way_is_made_up_for_by_the_next() {
    let (store, _dir, nas) = with_device().await;
    let old = report((0..300).map(|nth| container(nth, "Up")));
    save(&store, &nas, 1, &old).await;
    let new = report((150..450).map(|nth| container(nth, "Up")));
    // The store's thread may have answered before a poll, so how many polls a save takes differs from one to the next.
    let (mut dropped, mut completed) = (0, 0);
    for polls in 0.. {
        let mut saving = Box::pin(store.save_last_report(nas.id, moment(2), &new));
        let mut left = polls;
        let is_dropped = std::future::poll_fn(|context| match saving.as_mut().poll(context) {
            std::task::Poll::Pending if left > 0 => {
                left -= 1;
                std::task::Poll::Pending
            }
            outcome => std::task::Poll::Ready(outcome.is_pending()),
        });
        let is_dropped = is_dropped.await;
        drop(saving);
        let newest = report((200..260).map(|nth| container(nth, "Up")));
        save(&store, &nas, 3, &newest).await;
        assert_eq!(
            store.list_last_reports().await.unwrap()[&nas.id],
            newest,
            "{polls}"
        );
        if is_dropped {
            dropped += 1;
        } else {
            completed += 1;
        }
        if completed == 3 {
            break;
        }
    }
    assert!(dropped > 0);
}

#[tokio::test]
async fn a_report_that_cannot_be_read_costs_its_device_its_last_report_and_no_other_device_anything() {
    let (store, _dir) = open().await;
    let last_report = LastReport {
        agent_version: Some("0.1.0".into()),
        ..LastReport::default()
    };
    let [nas, vps, pi] = [("nas", 1), ("vps", 2), ("pi", 3)].map(|(name, nth)| device(name, nth));
    for row in [&nas, &vps, &pi] {
        store.save_device(row).await.unwrap();
        save(&store, row, 1, &last_report).await;
    }
    let spoil = "UPDATE last_reports SET known = ? WHERE device_id = ?";
    // Earlier builds wrote figures that are not finite as null.
    let infinite = r#"{"usage":{"cpu_cores":null,"memory_bytes":1,"disk_bytes":2}}"#;
    for (text, id) in [("{", vps.id), (infinite, pi.id)] {
        let spoiled = sqlx::query(spoil).bind(text).bind(id.to_string());
        spoiled.execute(&store.writer).await.unwrap();
    }
    let read = store.list_last_reports().await.unwrap();
    assert_eq!(read.keys().copied().collect::<Vec<_>>(), [nas.id, pi.id]);
    assert_eq!(read[&nas.id], last_report);
    assert_eq!(read[&pi.id].usage.unwrap().cpu_cores, 0.0);
}

#[tokio::test]
async fn a_thing_that_cannot_be_read_is_left_out_and_written_when_it_is_told_again() {
    let (store, _dir, nas) = with_device().await;
    let whole = report((0..8).map(|nth| container(nth, "Up")));
    save(&store, &nas, 1, &whole).await;
    for (nth, spoil) in [
        "item = '{'",
        "item = '{}'",
        "item = CAST(x'ff22' AS TEXT)",
        "item = json_set(item, '$.id', 'another')",
        "kind = 'sail'",
        "key = CAST(x'ff' AS TEXT)",
    ]
    .iter()
    .enumerate()
    {
        let spoil = format!("UPDATE items SET {spoil} WHERE key = '{nth:064x}'");
        let spoiled = sqlx::query(sqlx::AssertSqlSafe(spoil))
            .execute(&store.writer)
            .await;
        assert_eq!(spoiled.unwrap().rows_affected(), 1, "{nth}");
    }
    let read = store.list_last_reports().await.unwrap();
    let left = report((6..8).map(|nth| container(nth, "Up")));
    assert_eq!(read[&nas.id], left);
    save(&store, &nas, 2, &whole).await;
    assert_eq!(store.list_last_reports().await.unwrap()[&nas.id], whole);
    assert_eq!(number(&store, "SELECT COUNT(*) FROM items").await, 9);
}

#[tokio::test]
async fn things_beyond_the_limits_are_not_read_and_that_is_said() {
    let (store, _dir, nas) = with_device().await;
    save(&store, &nas, 1, &report([])).await;
    let insert = "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 10001) \
                  INSERT INTO items (device_id, kind, key, item) \
                  SELECT ?, 'volume', n, json_object('name', '' || n, 'driver', 'local', 'used_by', json_array()) FROM n";
    let inserted = sqlx::query(insert).bind(nas.id.to_string());
    inserted.execute(&store.writer).await.unwrap();
    let read = store.list_last_reports().await.unwrap().remove(&nas.id).unwrap();
    assert_eq!(read.inventory.volumes().len(), 10_000);
    assert!(read.partial);
    save(&store, &nas, 2, &read).await;
    assert_eq!(number(&store, "SELECT COUNT(*) FROM items").await, 10_000);
}

#[tokio::test]
async fn only_what_devices_tell_again_is_written_in_haste() {
    let (store, _dir, nas) = with_device().await;
    let (full, normal) = (2, 1);
    save(&store, &nas, 1, &report([container(1, "Up")])).await;
    assert_eq!(number(&store, "PRAGMA synchronous").await, full);
    let mut hasty = store.hasty_writer().await.unwrap();
    let level: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *hasty)
        .await
        .unwrap();
    assert_eq!(level, normal);
    drop(hasty);
    assert_eq!(number(&store, "PRAGMA synchronous").await, full);
}

#[tokio::test]
async fn reports_that_earlier_builds_kept_whole_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flotilla.db");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let earlier = MIGRATIONS.iter().filter(|migration| migration.version < 10);
    Migrator::with_migrations(earlier.cloned().collect())
        .run(&pool)
        .await
        .unwrap();
    let kept = report((0..3).map(|nth| container(nth, "Up")));
    let mut known = serde_json::to_value(&kept).unwrap();
    let containers: Vec<_> = kept
        .inventory
        .containers()
        .values()
        .map(|kept| &*kept.item)
        .collect();
    known["inventory"] = json!({"containers": containers, "images": [], "volumes": [volume("data")],
        "networks": [], "stacks": []});
    let [nas, vps] = [("nas", 1), ("vps", 2)].map(|(name, nth)| device(name, nth));
    for (row, known) in [(&nas, known.to_string()), (&vps, "{".to_owned())] {
        let insert = "INSERT INTO devices (id, name, mode, relay, tags, mesh_ip, this_computer, created) \
                      VALUES (?1, ?2, 'host', 'auto', '[]', ?1, 0, 0)";
        let device = sqlx::query(insert)
            .bind(row.id.to_string())
            .bind(row.name.as_str());
        device.execute(&pool).await.unwrap();
        let insert = "INSERT INTO inventory (device_id, heard, known) VALUES (?, 0, ?)";
        let inventory = sqlx::query(insert).bind(row.id.to_string()).bind(known);
        inventory.execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = Store::open(&path).await.unwrap();
    let read = store.list_last_reports().await.unwrap();
    assert_eq!(read, BTreeMap::from([(nas.id, kept)]));
}
