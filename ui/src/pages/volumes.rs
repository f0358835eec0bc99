//! The volumes of the fleet: the table and the page.

use super::inventory_table::{Details, EmptyText, ItemPage, device_link};
use crate::{
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{self, About, Narrow, Table},
    },
    copy::{frame, inventory_table as copy, items as words},
    query::Key,
    store::use_store,
    tables::on_device::{DEVICE_SCOPE, DeviceSummary, ItemRow, ListedItem, device_column},
};
use flotilla_protocol::{api::Row, inventory::Volume};
use leptos::prelude::*;

pub type VolumeRow = ItemRow<Volume>;
type Column = table::Column<VolumeRow>;

pub static VOLUMES: Table<VolumeRow> = Table::new(
    About {
        word: "volumes",
        label: frame::VOLUMES,
        filter: words::FILTER_VOLUMES,
        one: "volume",
        many: "volumes",
        sort_words: words::BY_NAME,
        scope: DEVICE_SCOPE,
    },
    &[
        Column::text("name", words::NAME, 12.0, |row| &row.item().name).ordered(1),
        device_column::<Volume>(words::DEVICE, 9.0).priority(4).ordered(2),
        Column::text("driver", words::DRIVER, 6.0, |row| &row.item().driver)
            .facet(Key::Driver, words::DRIVER, &[], |row, fact| {
                fact(&row.item().driver)
            })
            .priority(2),
        Column::text("used", words::USED_BY, 10.0, |row| &row.derived.used_by)
            .facet(Key::Status, words::USE, words::USES, |row, fact| {
                fact(use_of(row))
            })
            .narrow(Narrow::Figure)
            .ages()
            .priority(3),
        Column::text("stack", words::STACK, 8.0, stack)
            .fact(Key::Stack, |row, fact| fact(stack(row)))
            .priority(1),
        Column::age("created", words::CREATED, 6.5, |row| row.item().created).hidden(),
        Column::text("mountpoint", words::MOUNT_POINT, 16.0, |row| {
            &row.item().mountpoint
        })
        .mono()
        .hidden(),
        Column::text("labels", words::LABELS, 12.0, |row| &row.derived.labels).hidden(),
    ],
);

#[derive(Debug)]
pub struct VolumeTexts {
    used_by: String,
    labels: String,
}

impl ListedItem for Volume {
    type Derived = VolumeTexts;
    const PAGE: &'static str = "/volumes";

    fn table() -> &'static Table<VolumeRow> {
        &VOLUMES
    }
    fn derive(volume: &Self, _: &DeviceSummary) -> VolumeTexts {
        VolumeTexts {
            used_by: volume.used_by.join(", "),
            labels: labels_of(volume).join(", "),
        }
    }
    fn name(row: &VolumeRow) -> &str {
        &row.item().name
    }
    fn place(&self) -> &str {
        &self.name
    }
    fn state(row: &VolumeRow) -> String {
        words::used_by(row.item().used_by.len())
    }
}

fn stack(row: &VolumeRow) -> &str {
    row.item().stack.as_deref().unwrap_or_default()
}

fn use_of(row: &VolumeRow) -> &'static str {
    if row.item().used_by.is_empty() {
        "unused"
    } else {
        "used"
    }
}

/// The labels, each as `name=value`.
fn labels_of(volume: &Volume) -> Vec<String> {
    let label = |(name, value)| format!("{name}={value}");
    volume.labels.iter().map(label).collect()
}

#[component]
pub fn VolumesPage() -> impl IntoView {
    let store = use_store();
    store.ensure_volumes();
    ItemPage {
        collection: store.volumes,
        only: Signal::derive(|| None),
        empty_text: EmptyText {
            glyph: lucide::HARD_DRIVE,
            title: copy::NO_VOLUMES,
            text: copy::NO_VOLUMES_TEXT,
        },
        details,
        actions: None,
        below: None,
    }
    .view()
}

fn details(row: &Row<Volume>) -> Details {
    let volume = &row.item;
    Details {
        name: volume.name.clone(),
        facts: vec![
            Fact::new(words::DEVICE, device_link(row)),
            Fact::new(words::DRIVER, volume.driver.clone()),
            Fact::new(words::USED_BY, volume.used_by.clone()),
            Fact::new(words::STACK, volume.stack.clone()),
            Fact::new(words::CREATED, volume.created),
            Fact::new(words::MOUNT_POINT, Value::mono(&volume.mountpoint)),
            Fact::new(words::LABELS, labels_of(volume)),
        ],
    }
}
