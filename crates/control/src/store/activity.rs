//! The activity log: append-only, numbered without gaps, each entry chained to the one before by its hash.

use super::{Cell, Store, StoreError, to_json};
use flotilla_protocol::{
    Timestamp,
    activity::{Action, Activity, Actor},
    id::DeviceId,
};
use sha2::{Digest, Sha256};

/// An entry that has no place in the log yet.
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
struct Stored {
    id: i64,
    at: i64,
    actor: String,
    action: String,
    target: Option<String>,
    device_id: Option<String>,
    device: Option<String>,
    succeeded: bool,
    details: String,
}

impl TryFrom<Stored> for Activity {
    type Error = StoreError;

    fn try_from(row: Stored) -> Result<Self, StoreError> {
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
        let last: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT id, hash FROM activity ORDER BY id DESC LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await?;
        let (last, before) = last.unwrap_or_default();
        let (device_id, device) = new.device.unzip();
        let entry = Activity {
            id: last + 1,
            // Milliseconds are what the table keeps, and the hash must match what is read back.
            at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            actor: new.actor,
            action: new.action,
            target: new.target,
            device_id,
            device,
            succeeded: new.succeeded,
            details: new.details,
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
        .bind(chain(&before, &entry)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(entry)
    }

    /// Entries older than `before`, newest first.
    pub(crate) async fn list_activity(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<Stored> =
            sqlx::query_as("SELECT * FROM activity WHERE id < ? ORDER BY id DESC LIMIT ?")
                .bind(before.unwrap_or(i64::MAX))
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter().map(TryInto::try_into).collect()
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

    /// The first entry whose hash does not follow from the ones before it.
    async fn first_broken(store: &Store) -> Option<i64> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT id, hash FROM activity ORDER BY id")
            .fetch_all(&store.readers)
            .await
            .unwrap();
        let mut entries = store.list_activity(None, 500).await.unwrap();
        entries.reverse();
        let mut before = vec![];
        for (entry, (id, hash)) in entries.iter().zip(rows) {
            if chain(&before, entry).unwrap() != hash {
                return Some(id);
            }
            before = hash;
        }
        None
    }

    #[tokio::test]
    async fn entries_are_numbered_from_one_and_listed_newest_first() {
        let (store, _dir) = open().await;
        for details in ["a", "b", "c"] {
            store.append_activity(entry(details), moment(1)).await.unwrap();
        }
        let ids = |entries: Vec<Activity>| entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(ids(store.list_activity(None, 2).await.unwrap()), [3, 2]);
        assert_eq!(ids(store.list_activity(Some(2), 2).await.unwrap()), [1]);
    }

    #[tokio::test]
    async fn an_edited_or_removed_entry_shows() {
        let (store, _dir) = open().await;
        for details in ["a", "b", "c"] {
            store.append_activity(entry(details), moment(1)).await.unwrap();
        }
        assert_eq!(first_broken(&store).await, None);
        sqlx::query("UPDATE activity SET details = 'x' WHERE id = 2")
            .execute(&store.writer)
            .await
            .unwrap();
        assert_eq!(first_broken(&store).await, Some(2));
        sqlx::query("DELETE FROM activity WHERE id = 2")
            .execute(&store.writer)
            .await
            .unwrap();
        assert_eq!(first_broken(&store).await, Some(3));
    }
}
