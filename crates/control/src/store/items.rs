//! What each device's engine holds, one row per thing, so that a change of one thing writes one row.

use super::{Store, StoreError, cells, to_json};
use crate::report::{Collection, Holdings, WeighedItem};
use flotilla_protocol::{
    id::DeviceId,
    inventory::{Item, Kind},
};
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Rows per statement: each takes up to four of the 32,766 parameters that SQLite allows, and a statement is parsed
/// anew for each number of rows.
const ROWS: usize = 100;

/// The rows by which two holdings of a device differ.
#[derive(Debug, Default)]
pub(super) struct ItemChanges {
    written: Vec<WrittenItem>,
    /// Kind and key of each.
    removed: Vec<(Kind, String)>,
}

#[derive(Debug)]
struct WrittenItem {
    kind: Kind,
    key: String,
    /// JSON.
    item: String,
}

impl ItemChanges {
    /// Takes milliseconds for a device with thousands of things.
    pub(super) fn between(before: &Holdings, after: &Holdings) -> Result<Self, StoreError> {
        let mut changes = Self::default();
        changes.compare(Kind::Container, before.containers(), after.containers())?;
        changes.compare(Kind::Image, before.images(), after.images())?;
        changes.compare(Kind::Volume, before.volumes(), after.volumes())?;
        changes.compare(Kind::Network, before.networks(), after.networks())?;
        changes.compare(Kind::Stack, before.stacks(), after.stacks())?;
        Ok(changes)
    }

    fn compare<T: Serialize + PartialEq>(
        &mut self,
        kind: Kind,
        before: &Collection<T>,
        after: &Collection<T>,
    ) -> Result<(), StoreError> {
        for (key, kept) in after {
            if !before.get(key).is_some_and(|earlier| earlier.is_same(kept)) {
                let (key, item) = (key.clone(), to_json(&*kept.item)?);
                self.written.push(WrittenItem { kind, key, item });
            }
        }
        let removed = before.keys().filter(|key| !after.contains_key(*key));
        self.removed.extend(removed.map(|key| (kind, key.clone())));
        Ok(())
    }

    pub(super) async fn write(
        &self,
        transaction: &mut SqliteConnection,
        device: DeviceId,
    ) -> Result<(), sqlx::Error> {
        let device = device.to_string();
        for rows in self.written.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO items (device_id, kind, key, item) ");
            query.push_values(rows, |mut values, row| {
                values.push_bind(&device).push_bind(row.kind.as_str());
                values.push_bind(&row.key).push_bind(&row.item);
            });
            query.push(" ON CONFLICT (device_id, kind, key) DO UPDATE SET item = excluded.item");
            query.build().persistent(false).execute(&mut *transaction).await?;
        }
        for rows in self.removed.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM items WHERE device_id = ");
            query.push_bind(&device).push(" AND (kind, key) IN (");
            query.push_values(rows, |mut values, (kind, key)| {
                values.push_bind(kind.as_str()).push_bind(key);
            });
            query.push(")");
            query.build().persistent(false).execute(&mut *transaction).await?;
        }
        Ok(())
    }
}

/// Removes all rows of a device.
pub(super) async fn clear(transaction: &mut SqliteConnection, device: DeviceId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM items WHERE device_id = ?")
        .bind(device.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Item, StoreError> {
    let cells = cells("items", "key", row);
    let item = match cells.parse("kind")? {
        Kind::Container => Item::Container(cells.json("item")?),
        Kind::Image => Item::Image(cells.json("item")?),
        Kind::Volume => Item::Volume(cells.json("item")?),
        Kind::Network => Item::Network(cells.json("item")?),
        Kind::Stack => Item::Stack(cells.json("item")?),
        Kind::Unknown => return Err(cells.inconsistent("kind")),
    };
    if item.key() != cells.get::<&str>("key")? {
        return Err(cells.inconsistent("key"));
    }
    Ok(item)
}

/// What was read of a device's rows.
#[derive(Debug, Default)]
pub(super) struct ReadItems {
    /// Within its limits.
    pub(super) holdings: Holdings,
    /// There was no room for some.
    pub(super) partial: bool,
    /// Some can't be read.
    pub(super) spoiled: bool,
}

impl Store {
    /// What each device's engine holds. A row that can't be read is left out.
    pub(super) async fn list_items(&self) -> Result<BTreeMap<DeviceId, ReadItems>, StoreError> {
        let mut found: BTreeMap<DeviceId, ReadItems> = BTreeMap::new();
        let (mut spoiled, mut first) = (0, None);
        let mut rows = sqlx::query("SELECT device_id, kind, key, item FROM items").fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            let device = row.try_get::<String, _>("device_id").ok();
            let Some(device) = device.and_then(|device| device.parse().ok()) else {
                continue;
            };
            let items = found.entry(device).or_default();
            match read(&row) {
                Ok(item) => items.partial |= !items.holdings.put(WeighedItem::from(item)),
                Err(error) => {
                    (items.spoiled, spoiled) = (true, spoiled + 1);
                    first.get_or_insert(error);
                }
            }
        }
        if let Some(error) = first {
            tracing::warn!(rows = spoiled, first.error = %error, "not all that engines hold can be read; devices tell it again");
        }
        Ok(found)
    }
}
