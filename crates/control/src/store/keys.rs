//! Keys of the mesh: each enrolls once, and is remembered also when its device is removed. A key that ended is barred
//! from relays for as long as a ticket of it may be valid.

use super::{Store, StoreError, cells};
use flotilla_identity::TICKET_LIFETIME;
use flotilla_protocol::{Timestamp, id::DeviceId, key::PublicKey};
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// Adds a key that enrolls; false when the fleet has had it before, for any device.
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

/// Ends a device's keys, all but the one that it keeps.
pub(super) async fn end(
    transaction: &mut Transaction<'_, Sqlite>,
    device: DeviceId,
    kept: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE mesh_keys SET ended = ?1, barred_until = MAX(?4, COALESCE((SELECT until FROM tickets), 0)) \
         WHERE device_id = ?2 AND ended IS NULL AND key IS NOT ?3",
    )
    .bind(now.as_millisecond())
    .bind(device.to_string())
    .bind(kept)
    .bind(ticket_end(now).as_millisecond())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// When a ticket expires that is issued now.
pub(crate) fn ticket_end(now: Timestamp) -> Timestamp {
    now.saturating_add(TICKET_LIFETIME).unwrap_or(Timestamp::MAX)
}

impl Store {
    /// When the last of all issued tickets expires; `None` before the first.
    pub(crate) async fn lookup_last_ticket(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT * FROM tickets")
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| cells("tickets", "singleton", &row).moment("until"))
            .transpose()
    }

    /// Saves that tickets are valid until then. A later value stays.
    pub(crate) async fn save_last_ticket(&self, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tickets (singleton, until) VALUES (1, ?1) \
             ON CONFLICT (singleton) DO UPDATE SET until = MAX(until, ?1)",
        )
        .bind(until.as_millisecond())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Keys that ended, and until when each is barred. Those whose time is over are included, so that a clock that is
    /// wrong at the start drops none.
    pub(crate) async fn list_ended_keys(&self) -> Result<BTreeMap<PublicKey, Timestamp>, StoreError> {
        let rows = sqlx::query("SELECT key, barred_until FROM mesh_keys WHERE barred_until IS NOT NULL")
            .fetch_all(&self.readers)
            .await?;
        let read = rows.iter().map(|row| {
            let cells = cells("mesh_keys", "key", row);
            Ok((cells.parse("key")?, cells.moment("barred_until")?))
        });
        read.collect()
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
        transaction.commit().await.unwrap();
        let wrong = moment(200 * 86_400);
        store.save_last_ticket(wrong).await.unwrap();
        store.save_last_ticket(moment(9)).await.unwrap();
        assert_eq!(store.lookup_last_ticket().await.unwrap(), Some(wrong));
        let mut transaction = store.writer.begin().await.unwrap();
        end(&mut transaction, nas.id, None, moment(7)).await.unwrap();
        transaction.commit().await.unwrap();
        store.delete_device(nas.id).await.unwrap();
        // The second key may have a ticket that was issued by a wrong clock.
        assert_eq!(
            store.list_ended_keys().await.unwrap(),
            [(first, ticket_end(moment(5))), (second, wrong)].into()
        );
    }
}
