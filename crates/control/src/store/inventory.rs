//! What each device last told, so that its rows survive a restart of control.

use super::{Cell, Store, StoreError, to_json};
use flotilla_protocol::{
    Timestamp,
    device::{EndpointTrial, Facts, Usage},
    id::DeviceId,
    inventory::{EngineState, Inventory},
    mesh::MeshReport,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The last that was heard of a device's machine and engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
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
    pub(crate) inventory: Inventory,
}

impl Store {
    /// Everything known, with the moment at which it was known to be true.
    pub(crate) async fn list_known(&self) -> Result<BTreeMap<DeviceId, (Timestamp, Known)>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT device_id, heard, known FROM inventory")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(id, heard, known)| {
                let cell = |column| Cell {
                    table: "inventory",
                    column,
                    row: &id,
                };
                Ok((
                    cell("device_id").parse(&id)?,
                    (cell("heard").moment(heard)?, cell("known").json(&known)?),
                ))
            })
            .collect()
    }

    /// Saves what was heard, and that the device was there then; nothing when the device is gone meanwhile.
    pub(crate) async fn save_known(
        &self,
        id: DeviceId,
        heard: Timestamp,
        known: &Known,
    ) -> Result<(), StoreError> {
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
        .bind(to_json(known)?)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
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
        let mut known = Known {
            agent_version: Some("0.1.0".into()),
            ..Known::default()
        };
        store.save_known(nas.id, moment(1), &known).await.unwrap();
        assert!(
            store.list_known().await.unwrap().is_empty(),
            "an unknown device has no inventory"
        );
        store.save_device(&nas).await.unwrap();
        store.save_known(nas.id, moment(1), &known).await.unwrap();
        known.clock_skew_seconds = Some(-3);
        store.save_known(nas.id, moment(2), &known).await.unwrap();
        assert_eq!(
            store.list_known().await.unwrap(),
            BTreeMap::from([(nas.id, (moment(2), known))])
        );
        store.delete_device(nas.id).await.unwrap();
        assert!(store.list_known().await.unwrap().is_empty());
    }
}
