//! The fleet's own record: one row.

use super::{Store, StoreError, cells};
use flotilla_protocol::{Timestamp, api::StartingPolicy, cidr::Ipv4Net, endpoint::Endpoint, id::FleetId};
use sqlx::{Sqlite, Transaction, sqlite::SqliteRow};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FleetRow {
    pub(crate) id: FleetId,
    pub(crate) name: Option<String>,
    pub(crate) mesh_cidr: Ipv4Net,
    pub(crate) starting_policy: Option<StartingPolicy>,
    pub(crate) created: Timestamp,
    /// Addresses of control that people added.
    pub(crate) added_endpoints: Vec<Endpoint>,
}

fn read(row: &SqliteRow) -> Result<FleetRow, StoreError> {
    let cells = cells("fleet", "id", row);
    Ok(FleetRow {
        id: cells.parse("id")?,
        starting_policy: cells.json_if_any("starting_policy")?,
        created: cells.moment("created")?,
        added_endpoints: cells.json("added_endpoints")?,
        mesh_cidr: cells.parse("mesh_cidr")?,
        name: cells.get("name")?,
    })
}

impl Store {
    pub(crate) async fn lookup_fleet(&self) -> Result<Option<FleetRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM fleet")
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes the row, new or changed.
    pub(crate) async fn save_fleet(&self, fleet: &FleetRow) -> Result<(), StoreError> {
        self.save_fleet_change(fleet, None, None).await
    }
}

pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    fleet: &FleetRow,
) -> Result<(), StoreError> {
    let policy = fleet.starting_policy.as_ref().map(super::to_json).transpose()?;
    sqlx::query(
        "INSERT OR REPLACE INTO fleet (singleton, id, name, mesh_cidr, starting_policy, created, added_endpoints) \
         VALUES (1, ?, ?, ?, ?, ?, ?)",
    )
    .bind(fleet.id.to_string())
    .bind(&fleet.name)
    .bind(fleet.mesh_cidr.to_string())
    .bind(policy)
    .bind(fleet.created.as_millisecond())
    .bind(super::to_json(&fleet.added_endpoints)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{moment, open};

    #[tokio::test]
    async fn the_fleet_is_what_was_last_saved() {
        let (store, _dir) = open().await;
        assert_eq!(store.lookup_fleet().await.unwrap(), None);
        let mut fleet = FleetRow {
            id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            name: None,
            mesh_cidr: "100.71.0.0/16".parse().unwrap(),
            starting_policy: None,
            created: moment(1),
            added_endpoints: vec![],
        };
        store.save_fleet(&fleet).await.unwrap();
        fleet.name = Some("home-lab".into());
        fleet.starting_policy = Some(StartingPolicy::OpenLab);
        fleet.added_endpoints = vec!["fleet.example.org:443".parse().unwrap()];
        store.save_fleet(&fleet).await.unwrap();
        assert_eq!(store.lookup_fleet().await.unwrap(), Some(fleet));
    }
}
