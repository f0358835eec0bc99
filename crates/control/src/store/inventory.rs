//! The last report of each device, so that its rows survive a restart of control.

use super::{Cell, Store, StoreError, to_json};
use crate::report::Holdings;
use flotilla_protocol::{
    Timestamp,
    device::{EndpointTrial, Facts, Usage},
    id::DeviceId,
    inventory::EngineState,
    mesh::MeshReport,
};
use serde::{Deserialize, Serialize};
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
    pub(crate) inventory: Holdings,
    /// The engine holds more than `inventory`.
    #[serde(default)]
    pub(crate) partial: bool,
}

impl Store {
    /// All last reports, each with the moment for which it was true. A device reports everything again, so a row that
    /// can't be read is left out.
    pub(crate) async fn list_last_reports(
        &self,
    ) -> Result<BTreeMap<DeviceId, (Timestamp, LastReport)>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT device_id, heard, known FROM inventory")
                .fetch_all(&self.readers)
                .await?;
        let read = rows.into_iter().filter_map(|row| {
            read(&row)
                .inspect_err(|error| tracing::warn!(device.id = %row.0, %error, "inventory not read"))
                .ok()
        });
        Ok(read.collect())
    }

    /// Saves a device's last report, and when the device was last seen; nothing when the device was removed meanwhile.
    pub(crate) async fn save_last_report(
        &self,
        id: DeviceId,
        heard: Timestamp,
        last_report: &LastReport,
    ) -> Result<(), StoreError> {
        // Writing megabytes of JSON takes milliseconds, in which other tasks of this thread would wait.
        let last_report = last_report.clone();
        let text = tokio::task::spawn_blocking(move || to_json(&last_report)).await;
        let text = text.map_err(|error| sqlx::Error::Encode(error.into()))??;
        let mut transaction = self.writer.begin().await?;
        sqlx::query("UPDATE devices SET last_seen = ? WHERE id = ?")
            .bind(heard.as_millisecond())
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT OR REPLACE INTO inventory (device_id, heard, known) \
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM devices WHERE id = ?1)",
        )
        .bind(id.to_string())
        .bind(heard.as_millisecond())
        .bind(text)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

fn read(
    (id, heard, last_report): &(String, i64, String),
) -> Result<(DeviceId, (Timestamp, LastReport)), StoreError> {
    let cell = |column| Cell {
        table: "inventory",
        column,
        row: id,
    };
    let heard = cell("heard").moment(*heard)?;
    Ok((
        cell("device_id").parse(id)?,
        (heard, cell("known").json(last_report)?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        devices::tests::device,
        tests::{moment, open},
    };

    #[tokio::test]
    async fn what_was_heard_last_is_kept_until_the_device_is_gone() {
        let (store, _dir) = open().await;
        let nas = device("nas", 1);
        let mut last_report = LastReport {
            agent_version: Some("0.1.0".into()),
            ..LastReport::default()
        };
        store
            .save_last_report(nas.id, moment(1), &last_report)
            .await
            .unwrap();
        assert!(
            store.list_last_reports().await.unwrap().is_empty(),
            "an unknown device has no inventory"
        );
        store.save_device(&nas).await.unwrap();
        store
            .save_last_report(nas.id, moment(1), &last_report)
            .await
            .unwrap();
        last_report.clock_skew_seconds = Some(-3);
        store
            .save_last_report(nas.id, moment(2), &last_report)
            .await
            .unwrap();
        assert_eq!(
            store.list_last_reports().await.unwrap(),
            BTreeMap::from([(nas.id, (moment(2), last_report))])
        );
        store.delete_device(nas.id).await.unwrap();
        assert!(store.list_last_reports().await.unwrap().is_empty());
    }
    #[tokio::test]
    async fn a_row_that_cannot_be_read_costs_its_device_its_last_report_and_no_other_device_anything() {
        let (store, _dir) = open().await;
        let last_report = LastReport {
            agent_version: Some("0.1.0".into()),
            ..LastReport::default()
        };
        let [nas, vps, pi] = [("nas", 1), ("vps", 2), ("pi", 3)].map(|(name, nth)| device(name, nth));
        for row in [&nas, &vps, &pi] {
            store.save_device(row).await.unwrap();
            store
                .save_last_report(row.id, moment(1), &last_report)
                .await
                .unwrap();
        }
        let spoil = "UPDATE inventory SET known = ? WHERE device_id = ?";
        // Earlier builds wrote figures that are not finite as null.
        let infinite = r#"{"usage":{"cpu_cores":null,"memory_bytes":1,"disk_bytes":2},"inventory":
            {"containers":[],"images":[],"volumes":[],"networks":[],"stacks":[]}}"#;
        for (text, id) in [("{", vps.id), (infinite, pi.id)] {
            let spoiled = sqlx::query(spoil).bind(text).bind(id.to_string());
            spoiled.execute(&store.writer).await.unwrap();
        }
        let read = store.list_last_reports().await.unwrap();
        assert_eq!(read.keys().copied().collect::<Vec<_>>(), [nas.id, pi.id]);
        assert_eq!(read[&nas.id].1, last_report);
        assert_eq!(read[&pi.id].1.usage.unwrap().cpu_cores, 0.0);
    }
}
