//! Keys of the mesh: each enrolls once, and is remembered when its device is not.

use super::{Cell, Store, StoreError};
use flotilla_protocol::{Timestamp, id::DeviceId, key::PublicKey};
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// Notes a key that enrolls; false when it has been in the fleet before, whosever it was.
pub(super) async fn enroll(
    transaction: &mut Transaction<'_, Sqlite>,
    key: &str,
    device: DeviceId,
) -> Result<bool, StoreError> {
    let added = sqlx::query("INSERT OR IGNORE INTO mesh_keys (key, device_id) VALUES (?, ?)")
        .bind(key)
        .bind(device.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(added.rows_affected() == 1)
}

/// Notes that a device's keys are not its own any more, all but the one that it keeps.
pub(super) async fn end(
    transaction: &mut Transaction<'_, Sqlite>,
    device: DeviceId,
    kept: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE mesh_keys SET ended = ?1 WHERE device_id = ?2 AND ended IS NULL AND key IS NOT ?3")
        .bind(now.as_millisecond())
        .bind(device.to_string())
        .bind(kept)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl Store {
    /// Keys that ended after a moment, and when each did.
    pub(crate) async fn list_ended_keys(
        &self,
        after: Timestamp,
    ) -> Result<BTreeMap<PublicKey, Timestamp>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT key, ended FROM mesh_keys WHERE ended > ?")
            .bind(after.as_millisecond())
            .fetch_all(&self.readers)
            .await?;
        let read = |(key, ended): (String, i64)| {
            let cell = |column| Cell {
                table: "mesh_keys",
                column,
                row: &key,
            };
            Ok((cell("key").parse(&key)?, cell("ended").moment(ended)?))
        };
        rows.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{device, moment, open};

    #[tokio::test]
    async fn a_key_enrolls_once_and_is_remembered_when_its_device_is_not() {
        let (store, _dir) = open().await;
        let (nas, other) = (device("nas", 1), device("other", 2));
        store.save_device(&nas).await.unwrap();
        let [first, second] = [1, 2].map(|n| PublicKey::from_bytes([n; 32]));
        let mut transaction = store.writer.begin().await.unwrap();
        for (key, of, is_new) in [
            (first, nas.id, true),
            (first, other.id, false),
            (first, nas.id, false),
            (second, nas.id, true),
        ] {
            let added = enroll(&mut transaction, &key.to_string(), of).await.unwrap();
            assert_eq!(added, is_new);
        }
        end(&mut transaction, nas.id, Some(&second.to_string()), moment(5))
            .await
            .unwrap();
        end(&mut transaction, nas.id, None, moment(7)).await.unwrap();
        transaction.commit().await.unwrap();
        store.delete_device(nas.id).await.unwrap();
        let ended = |after| store.list_ended_keys(moment(after));
        assert_eq!(
            ended(0).await.unwrap(),
            [(first, moment(5)), (second, moment(7))].into()
        );
        assert_eq!(ended(5).await.unwrap(), [(second, moment(7))].into());
    }
}
