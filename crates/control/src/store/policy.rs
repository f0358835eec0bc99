//! The access policies: every saved revision as a whole.

use super::{FleetRow, Store, StoreError, cells, devices, fleet, to_json};
use crate::store::DeviceRow;
use flotilla_protocol::api::PolicyInForce;
use sqlx::{Sqlite, Transaction};

impl Store {
    /// The policy in force; `None` until one was saved.
    pub(crate) async fn lookup_policy(&self) -> Result<Option<PolicyInForce>, StoreError> {
        let row = sqlx::query("SELECT * FROM policies ORDER BY revision DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let cells = cells("policies", "revision", &row);
            Ok(PolicyInForce {
                revision: cells.number("revision")?,
                policy: cells.json("policy")?,
                saved: cells.moment("saved")?,
                by: cells.get("saved_by")?,
            })
        })
        .transpose()
    }

    /// Saves a policy as the one in force. Each revision is written once.
    pub(crate) async fn save_policy(&self, policy: &PolicyInForce) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        write(&mut transaction, policy).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes a renamed device, and the policy with its new name.
    pub(crate) async fn save_renamed(
        &self,
        device: &DeviceRow,
        policy: &PolicyInForce,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        devices::write(&mut transaction, device).await?;
        write(&mut transaction, policy).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes the fleet, and with it, if they change, its devices in another range and its first policy.
    pub(crate) async fn save_fleet_change(
        &self,
        row: &FleetRow,
        moved: Option<&[DeviceRow]>,
        policy: Option<&PolicyInForce>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        fleet::write(&mut transaction, row).await?;
        if let Some(devices) = moved {
            devices::move_all(&mut transaction, devices).await?;
        }
        if let Some(policy) = policy {
            write(&mut transaction, policy).await?;
        }
        Ok(transaction.commit().await?)
    }
}

async fn write(transaction: &mut Transaction<'_, Sqlite>, policy: &PolicyInForce) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO policies (revision, policy, saved, saved_by) VALUES (?, ?, ?, ?)")
        .bind(i64::try_from(policy.revision).unwrap_or(i64::MAX))
        .bind(to_json(&policy.policy)?)
        .bind(policy.saved.as_millisecond())
        .bind(&policy.by)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{device, moment, open};
    use flotilla_policy::starting;
    use flotilla_protocol::{api::StartingPolicy, policy::Policy};

    fn policy(revision: u64, policy: Policy) -> PolicyInForce {
        PolicyInForce {
            revision,
            policy,
            saved: moment(1),
            by: "owner".into(),
        }
    }

    #[tokio::test]
    async fn the_last_saved_policy_is_in_force_and_no_revision_is_written_twice() {
        let (store, _dir) = open().await;
        assert_eq!(store.lookup_policy().await.unwrap(), None);
        let open_lab = policy(2, starting(StartingPolicy::OpenLab, None));
        store.save_policy(&policy(1, Policy::default())).await.unwrap();
        store.save_policy(&open_lab).await.unwrap();
        assert!(store.save_policy(&policy(2, Policy::default())).await.is_err());
        assert_eq!(store.lookup_policy().await.unwrap(), Some(open_lab));
    }

    #[tokio::test]
    async fn a_rename_is_written_with_its_policy_or_not_at_all() {
        let (store, _dir) = open().await;
        store.save_policy(&policy(1, Policy::default())).await.unwrap();
        let nas = device("nas", 1);
        assert!(
            store
                .save_renamed(&nas, &policy(1, Policy::default()))
                .await
                .is_err()
        );
        assert_eq!(store.list_devices().await.unwrap(), []);
        store
            .save_renamed(&nas, &policy(2, Policy::default()))
            .await
            .unwrap();
        assert_eq!(store.list_devices().await.unwrap(), [nas]);
    }
}
