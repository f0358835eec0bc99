//! The last report of each device, so that its rows survive a restart of control.
//!
//! Life cycle: read at the start → with each save, compared with what the tables hold, and only what differs is
//! written, in one transaction → removed with the device. A device tells everything again when it links, so saves don't
//! wait for the disk: see [`Store::hasty_writer`].

use super::{
    Store, StoreError, StoredReport, cells,
    items::{self, ItemChanges},
    to_json,
};
use crate::report::Holdings;
use flotilla_protocol::{
    Timestamp,
    device::{EndpointTrial, Facts, Usage},
    id::DeviceId,
    inventory::EngineState,
    mesh::MeshReport,
};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// The last reported values of a device's machine and engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LastReport {
    pub(crate) agent_version: Option<String>,
    pub(crate) facts: Option<Facts>,
    pub(crate) engine: Option<EngineState>,
    /// The engine was Docker Desktop's when it last ran.
    #[serde(default)]
    pub(crate) was_docker_desktop: bool,
    pub(crate) usage: Option<Usage>,
    pub(crate) clock_skew_seconds: Option<i64>,
    #[serde(default)]
    pub(crate) mesh: Option<MeshReport>,
    #[serde(default)]
    pub(crate) endpoint_trials: Vec<EndpointTrial>,
    /// Kept in rows of its own.
    #[serde(skip)]
    pub(crate) inventory: Holdings,
    /// The engine holds more than `inventory`.
    #[serde(default)]
    pub(crate) partial: bool,
}

/// What a save writes.
struct Changes {
    /// `None` when it is stored as it is.
    known: Option<String>,
    /// What the tables hold of the device is not known, so all of it is replaced.
    replaces_all: bool,
    items: ItemChanges,
}

impl Changes {
    fn between(before: Option<&StoredReport>, after: &StoredReport) -> Result<Self, StoreError> {
        let nothing = Holdings::default();
        let is_known = before.is_some_and(|before| before.known == after.known);
        Ok(Self {
            known: (!is_known).then(|| after.known.clone()),
            replaces_all: before.is_none(),
            items: ItemChanges::between(
                before.map_or(&nothing, |before| &before.inventory),
                &after.inventory,
            )?,
        })
    }
}

impl Store {
    /// All last reports. A device reports everything again, so a row that can't be read is left out, and all rows of the
    /// device are replaced by its next save.
    pub(crate) async fn list_last_reports(&self) -> Result<BTreeMap<DeviceId, LastReport>, StoreError> {
        let mut stored = self.stored_reports.lock().await;
        let rows = sqlx::query("SELECT device_id, known FROM last_reports")
            .fetch_all(&self.readers)
            .await?;
        let read = rows.iter().filter_map(|row| {
            read(row)
                .inspect_err(|error| tracing::warn!(%error, "a device's last report can't be read"))
                .ok()
        });
        let mut found: BTreeMap<DeviceId, LastReport> = read.collect();
        stored.clear();
        for (device, items) in self.list_items().await? {
            let last_report = found.entry(device).or_default();
            last_report.inventory = items.holdings;
            last_report.partial |= items.partial;
            if !items.partial && !items.spoiled {
                stored.insert(device, StoredReport::of(last_report)?);
            }
        }
        Ok(found)
    }

    /// Saves a device's last report, and when the device was last seen; nothing when the device was removed meanwhile.
    pub(crate) async fn save_last_report(
        &self,
        id: DeviceId,
        heard: Timestamp,
        last_report: &LastReport,
    ) -> Result<(), StoreError> {
        let mut stored = self.stored_reports.lock().await;
        // When the save fails or is dropped half-way, nothing is known of the tables, and the next save writes all.
        let before = stored.remove(&id);
        let last_report = last_report.clone();
        // Comparing thousands of things takes milliseconds, in which other tasks of this thread would wait.
        let compared = tokio::task::spawn_blocking(move || {
            let after = StoredReport::of(&last_report)?;
            Ok::<_, StoreError>((Changes::between(before.as_ref(), &after)?, after))
        });
        let (changes, after) = compared
            .await
            .map_err(|error| sqlx::Error::Encode(error.into()))??;
        if self.write_last_report(id, heard, changes).await? {
            stored.insert(id, after);
        }
        Ok(())
    }

    /// Writes all changes or none; false when there is no such device.
    async fn write_last_report(
        &self,
        id: DeviceId,
        heard: Timestamp,
        changes: Changes,
    ) -> Result<bool, StoreError> {
        let mut writer = self.hasty_writer().await?;
        let mut transaction = writer.begin().await?;
        let seen = sqlx::query("UPDATE devices SET last_seen = ? WHERE id = ?")
            .bind(heard.as_millisecond())
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        if seen.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(known) = changes.known {
            let insert = "INSERT INTO last_reports (device_id, known) VALUES (?1, ?2) \
                          ON CONFLICT (device_id) DO UPDATE SET known = ?2";
            sqlx::query(insert)
                .bind(id.to_string())
                .bind(known)
                .execute(&mut *transaction)
                .await?;
        }
        if changes.replaces_all {
            items::clear(&mut transaction, id).await?;
        }
        changes.items.write(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

impl StoredReport {
    fn of(last_report: &LastReport) -> Result<Self, StoreError> {
        Ok(Self {
            known: to_json(last_report)?,
            inventory: last_report.inventory.clone(),
        })
    }
}

fn read(row: &SqliteRow) -> Result<(DeviceId, LastReport), StoreError> {
    let cells = cells("last_reports", "device_id", row);
    Ok((cells.parse("device_id")?, cells.json("known")?))
}

#[cfg(test)]
mod tests;
