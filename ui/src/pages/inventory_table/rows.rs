//! Opening the row that an address names, and what pages say of rows elsewhere.

use super::OpenedRow;
pub use crate::tables::on_device::lookup;
use crate::{
    store::{Collection, Store, use_store},
    tables::on_device::{ListedItem, device_in_address},
};
use flotilla_protocol::api::Row;
use leptos::prelude::*;
use std::sync::Arc;

/// The item that the address of a page names by device and place.
#[must_use]
pub fn row_at_address<T: ListedItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: OpenedRow,
) -> Memo<Option<Arc<Row<T>>>> {
    let store = use_store();
    Memo::new(move |_| {
        let (device, place) = opened.at.get()?;
        row_at(store, collection, &device, &place)
    })
}

/// The item at a place of a device, which is given as in [`Store::lookup_device`]. An item that is named so comes
/// before one that only can be found so.
#[must_use]
pub fn row_at<T: ListedItem>(
    store: Store,
    collection: RwSignal<Collection<Row<T>>>,
    device: &str,
    place: &str,
) -> Option<Arc<Row<T>>> {
    let device = store.lookup_device(device)?.id;
    collection.with(|collection| {
        let named = |row: &&Arc<Row<T>>| row.item.place() == place;
        let found = collection.of_device(device).find(named);
        found
            .or_else(|| collection.of_device(device).find(|row| row.item.is_at(place)))
            .cloned()
    })
}

/// A callback that gives device and place of the row of a key to another, such as [`OpenedRow::open`].
pub fn row_opener<T: ListedItem>(
    collection: RwSignal<Collection<Row<T>>>,
    open: Callback<(String, String)>,
) -> Callback<String> {
    Callback::new(move |key: String| {
        if let Some(row) = lookup(collection, &key) {
            open.run((device_in_address(&row), row.item.place().to_owned()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pages::dashboard::tests::device, store::Keyed};
    use flotilla_protocol::{
        Timestamp,
        api::List,
        device::{Device, DeviceStatus},
        inventory::Container,
    };

    const NAS: &str = "00000000-0000-7000-8000-000000000001";
    const SHED: &str = "00000000-0000-7000-8000-000000000002";

    fn fill<T: Keyed>(collection: RwSignal<Collection<T>>, items: Vec<T>) {
        let now = Timestamp::UNIX_EPOCH;
        let (unreachable_devices, seq) = (Vec::new(), 0);
        let list = List {
            items,
            unreachable_devices,
            seq,
        };
        collection.update(|collection| {
            let ticket = collection.begin(now);
            collection.take(ticket, Ok(list), now);
        });
    }

    fn container(device: &Device, id: &str, name: &str) -> Row<Container> {
        let item = format!(
            r#"{{"id":"{id}","name":"{name}","image":"i","state":"running","status":"","health":"none","ports":[]}}"#
        );
        Row {
            device: device.name.clone(),
            device_id: device.id,
            item: serde_json::from_str(&item).unwrap(),
            as_of: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_device_that_is_called_like_the_id_of_another_does_not_take_its_addresses() {
        let owner = Owner::new();
        owner.set();
        let store = Store::provide();
        let named = |name: &str, id: &str| Device {
            id: id.parse().unwrap(),
            ..device(name, DeviceStatus::Online)
        };
        let (nas, shed) = (named("nas", NAS), named(NAS, SHED));
        fill(
            store.containers,
            vec![container(&nas, "01", "web"), container(&shed, "02", "web")],
        );
        fill(store.devices, vec![nas.clone(), shed.clone()]);
        let found = |device: &str, place: &str| {
            let row = row_at(store, store.containers, device, place);
            row.map(|row| row.device_id)
        };
        assert_eq!(found("nas", "web"), Some(nas.id));
        assert_eq!(found(NAS, "web"), Some(nas.id));
        assert_eq!(found(SHED, "web"), Some(shed.id));
        assert_eq!(found("attic", "web"), None);
        for own in [&nas, &shed] {
            let row = container(own, "03", "db");
            let address = untrack(|| store.lookup_device(&device_in_address(&row)));
            assert_eq!(address.map(|device| device.id), Some(own.id));
        }
    }

    #[test]
    fn a_container_is_found_by_its_name_before_its_id() {
        let owner = Owner::new();
        owner.set();
        let store = Store::provide();
        let nas = device("nas", DeviceStatus::Online);
        let rows = vec![container(&nas, "01", "web"), container(&nas, "02", "01")];
        fill(store.containers, rows);
        fill(store.devices, vec![nas]);
        let found = |place: &str| {
            let row = row_at(store, store.containers, "nas", place);
            row.map(|row| row.item.id.clone())
        };
        assert_eq!(found("01").as_deref(), Some("02"));
        assert_eq!(found("02").as_deref(), Some("02"));
        assert_eq!(found("web").as_deref(), Some("01"));
    }
}
