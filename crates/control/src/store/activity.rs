//! The activity log: append-only, numbered without gaps, each entry chained to the one before by its hash.
//!
//! The oldest entries are removed in time. The number and the hash of the last removed one stay as an anchor, from
//! which the chain continues.

use super::{Cell, Store, StoreError, to_json};
use flotilla_protocol::{
    Timestamp,
    activity::{Action, Activity, ActivityFault, ActivityVerified, Actor, FaultyEntry},
    id::DeviceId,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Entries that are in memory at once while the log is verified.
const BATCH: u32 = 500;

/// Characters of an entry's details that are kept: some quote texts of devices and engines.
const DETAILS_CHARS: usize = 2_000;

/// An entry that is not in the log yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewActivity {
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    pub(crate) target: Option<String>,
    pub(crate) device: Option<(DeviceId, String)>,
    pub(crate) succeeded: bool,
    pub(crate) details: String,
}

#[derive(sqlx::FromRow)]
struct SqlRow {
    id: i64,
    at: i64,
    actor: String,
    action: String,
    target: Option<String>,
    device_id: Option<String>,
    device: Option<String>,
    succeeded: bool,
    details: String,
    hash: Vec<u8>,
}

/// The number and hash that the next entry follows: zero and none at the beginning, the anchor's, or those of the entry
/// before it.
#[derive(Default, sqlx::FromRow)]
struct ChainLink {
    id: i64,
    hash: Vec<u8>,
}

impl TryFrom<SqlRow> for Activity {
    type Error = StoreError;

    fn try_from(row: SqlRow) -> Result<Self, StoreError> {
        let cell = |column| Cell {
            table: "activity",
            column,
            row: &row.id,
        };
        Ok(Self {
            id: row.id,
            at: cell("at").moment(row.at)?,
            actor: cell("actor").json(&row.actor)?,
            action: cell("action").json(&row.action)?,
            device_id: row
                .device_id
                .as_deref()
                .map(|id| cell("device_id").parse(id))
                .transpose()?,
            target: row.target,
            device: row.device,
            succeeded: row.succeeded,
            details: row.details,
        })
    }
}

/// The hash of an entry, over the hash before it and the entry's JSON form.
fn chain(before: &[u8], entry: &Activity) -> Result<Vec<u8>, StoreError> {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(to_json(entry)?);
    Ok(hash.finalize().to_vec())
}

impl Store {
    /// Appends an entry and answers it with its number.
    pub(crate) async fn append_activity(
        &self,
        new: NewActivity,
        now: Timestamp,
    ) -> Result<Activity, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let last: Option<ChainLink> =
            sqlx::query_as("SELECT id, hash FROM activity ORDER BY id DESC LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await?;
        let last = last.unwrap_or_default();
        let (device_id, device) = new.device.unzip();
        let entry = Activity {
            id: last.id + 1,
            // The table keeps milliseconds, and the hash must match the value that is read back.
            at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            actor: new.actor,
            action: new.action,
            target: new.target,
            device_id,
            device,
            succeeded: new.succeeded,
            details: new.details.chars().take(DETAILS_CHARS).collect(),
        };
        sqlx::query(
            "INSERT INTO activity (id, at, actor, action, target, device_id, device, succeeded, details, hash) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(entry.id)
        .bind(entry.at.as_millisecond())
        .bind(to_json(&entry.actor)?)
        .bind(to_json(&entry.action)?)
        .bind(&entry.target)
        .bind(entry.device_id.map(|id| id.to_string()))
        .bind(&entry.device)
        .bind(entry.succeeded)
        .bind(&entry.details)
        .bind(chain(&last.hash, &entry)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(entry)
    }

    /// Entries older than `before`, newest first. Where devices are given, only entries about these.
    pub(crate) async fn list_activity(
        &self,
        before: Option<i64>,
        limit: u32,
        devices: Option<&BTreeSet<DeviceId>>,
    ) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<SqlRow> = sqlx::query_as(
            "SELECT * FROM activity WHERE id < ?1 \
             AND (?2 IS NULL OR device_id IN (SELECT value FROM json_each(?2))) ORDER BY id DESC LIMIT ?3",
        )
        .bind(before.unwrap_or(i64::MAX))
        .bind(devices.map(|devices| to_json(&devices)).transpose()?)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Removes the oldest entries: those from before a moment, and those beyond the newest `keep`; at most `batch` of
    /// them, and never the newest one. Answers whether more may be due.
    pub(crate) async fn trim_activity(
        &self,
        before: Timestamp,
        keep: i64,
        batch: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let ends: (Option<i64>, Option<i64>) = sqlx::query_as("SELECT MIN(id), MAX(id) FROM activity")
            .fetch_one(&mut *transaction)
            .await?;
        let (Some(oldest), Some(newest)) = ends else {
            return Ok(false);
        };
        let young: Option<i64> =
            sqlx::query_scalar("SELECT id FROM activity WHERE at >= ? ORDER BY id LIMIT 1")
                .bind(before.as_millisecond())
                .fetch_optional(&mut *transaction)
                .await?;
        let first_kept = young.unwrap_or(newest).max(newest - keep + 1).min(newest);
        if first_kept <= oldest {
            return Ok(false);
        }
        let last_gone = first_kept.min(oldest + batch) - 1;
        sqlx::query(
            "INSERT INTO activity_anchor (singleton, id, hash) SELECT 1, id, hash FROM activity WHERE id = ?1 \
             ON CONFLICT (singleton) DO UPDATE SET id = excluded.id, hash = excluded.hash",
        )
        .bind(last_gone)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM activity WHERE id <= ?")
            .bind(last_gone)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(last_gone + 1 < first_kept)
    }

    /// Verifies the chain of hashes of all kept entries, up to the first that does not fit. Cutting off the newest
    /// entries leaves no trace; every other change does.
    pub(crate) async fn verify_activity(&self) -> Result<ActivityVerified, StoreError> {
        let mut verified = ActivityVerified::default();
        let mut before = ChainLink::default();
        loop {
            let rows: Vec<SqlRow> = sqlx::query_as("SELECT * FROM activity WHERE id > ? ORDER BY id LIMIT ?")
                .bind(before.id)
                .bind(BATCH)
                .fetch_all(&self.readers)
                .await?;
            let Some(first) = rows.first() else {
                return Ok(verified);
            };
            if first.id != before.id + 1 {
                // The anchor moves when entries are removed meanwhile.
                let anchor: Option<ChainLink> = sqlx::query_as("SELECT id, hash FROM activity_anchor")
                    .fetch_optional(&self.readers)
                    .await?;
                let anchor = anchor.unwrap_or_default();
                if anchor.id > before.id {
                    before = anchor;
                    continue;
                }
            }
            for row in rows {
                match follow(&before, row) {
                    Ok(link) => before = link,
                    Err(faulty) => {
                        verified.faulty = Some(faulty);
                        return Ok(verified);
                    }
                }
                verified.entries += 1;
                verified.first.get_or_insert(before.id);
                verified.last = Some(before.id);
            }
        }
    }
}

/// The link of an entry, if it follows the one before.
fn follow(before: &ChainLink, row: SqlRow) -> Result<ChainLink, FaultyEntry> {
    let (id, hash) = (row.id, row.hash.clone());
    if id != before.id + 1 {
        return Err(FaultyEntry {
            id: before.id + 1,
            fault: ActivityFault::Missing,
        });
    }
    let expected = Activity::try_from(row).and_then(|entry| chain(&before.hash, &entry));
    if expected.is_ok_and(|expected| expected == hash) {
        Ok(ChainLink { id, hash })
    } else {
        Err(FaultyEntry {
            id,
            fault: ActivityFault::Changed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{moment, open};

    fn entry(details: &str) -> NewActivity {
        NewActivity {
            actor: Actor::Owner,
            action: Action::DeviceAdded,
            target: None,
            device: None,
            succeeded: true,
            details: details.into(),
        }
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
}
