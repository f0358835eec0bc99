//! The activity log: append-only, numbered without gaps, each entry chained to the one before by its hash.
//!
//! The oldest entries are removed in time. The number and the hash of the last removed one stay as an anchor, from
//! which the chain continues.

use super::{Store, StoreError, cells, to_json};
use flotilla_protocol::{
    Timestamp,
    activity::{Action, Activity, ActivityFault, ActivityVerified, Actor, FaultyEntry},
    id::DeviceId,
};
use sha2::{Digest, Sha256};
use sqlx::{FromRow as _, Sqlite, Transaction, sqlite::SqliteRow};
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

impl NewActivity {
    /// An entry of what succeeded in the whole fleet.
    pub(crate) fn new(actor: Actor, action: Action, details: impl Into<String>) -> Self {
        Self {
            actor,
            action,
            target: None,
            device: None,
            succeeded: true,
            details: details.into(),
        }
    }

    pub(crate) fn on(self, device: DeviceId, name: &impl ToString) -> Self {
        let device = Some((device, name.to_string()));
        Self { device, ..self }
    }

    /// Names what was acted on, beside the device.
    pub(crate) fn target(self, target: impl Into<Option<String>>) -> Self {
        let target = target.into();
        Self { target, ..self }
    }

    pub(crate) fn succeeded(self, succeeded: bool) -> Self {
        Self { succeeded, ..self }
    }
}

/// The number and hash that the next entry follows: zero and none at the beginning, the anchor's, or those of the entry
/// before it.
#[derive(Default, sqlx::FromRow)]
struct ChainLink {
    id: i64,
    hash: Vec<u8>,
}

fn read(row: &SqliteRow) -> Result<Activity, StoreError> {
    let cells = cells("activity", "id", row);
    Ok(Activity {
        id: cells.get("id")?,
        at: cells.moment("at")?,
        actor: cells.json("actor")?,
        action: cells.json("action")?,
        device_id: cells.parse_if_any("device_id")?,
        target: cells.get("target")?,
        device: cells.get("device")?,
        succeeded: cells.get("succeeded")?,
        details: cells.get("details")?,
    })
}

/// The hash of an entry, over the hash before it and the entry's JSON form.
fn chain(before: &[u8], entry: &Activity) -> Result<Vec<u8>, StoreError> {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(to_json(entry)?);
    Ok(hash.finalize().to_vec())
}

/// Appends an entry within a transaction of its cause, so that both are written or neither.
pub(super) async fn append(
    transaction: &mut Transaction<'_, Sqlite>,
    new: NewActivity,
    now: Timestamp,
) -> Result<Activity, StoreError> {
    let last: Option<ChainLink> = sqlx::query_as("SELECT id, hash FROM activity ORDER BY id DESC LIMIT 1")
        .fetch_optional(&mut **transaction)
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
    .execute(&mut **transaction)
    .await?;
    Ok(entry)
}

impl Store {
    /// Appends an entry and answers it with its number.
    pub(crate) async fn append_activity(
        &self,
        new: NewActivity,
        now: Timestamp,
    ) -> Result<Activity, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let entry = append(&mut transaction, new, now).await?;
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
        let rows = sqlx::query(
            "SELECT * FROM activity WHERE id < ?1 \
             AND (?2 IS NULL OR device_id IN (SELECT value FROM json_each(?2))) ORDER BY id DESC LIMIT ?3",
        )
        .bind(before.unwrap_or(i64::MAX))
        .bind(devices.map(|devices| to_json(&devices)).transpose()?)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
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
            let rows = sqlx::query("SELECT * FROM activity WHERE id > ? ORDER BY id LIMIT ?")
                .bind(before.id)
                .bind(BATCH)
                .fetch_all(&self.readers)
                .await?;
            let Some(first) = rows.first() else {
                return Ok(verified);
            };
            if ChainLink::from_row(first)?.id != before.id + 1 {
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
            for row in &rows {
                let link = ChainLink::from_row(row)?;
                verified.faulty = fault(&before, &link, row);
                if verified.faulty.is_some() {
                    return Ok(verified);
                }
                before = link;
                verified.entries += 1;
                verified.first.get_or_insert(before.id);
                verified.last = Some(before.id);
            }
        }
    }
}

/// What is wrong with an entry that does not follow the one before.
fn fault(before: &ChainLink, link: &ChainLink, row: &SqliteRow) -> Option<FaultyEntry> {
    if link.id != before.id + 1 {
        return Some(FaultyEntry {
            id: before.id + 1,
            fault: ActivityFault::Missing,
        });
    }
    let expected = read(row).and_then(|entry| chain(&before.hash, &entry));
    let follows = expected.is_ok_and(|expected| expected == link.hash);
    (!follows).then_some(FaultyEntry {
        id: link.id,
        fault: ActivityFault::Changed,
    })
}

#[cfg(test)]
mod tests;
