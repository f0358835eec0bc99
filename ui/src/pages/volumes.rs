//! The volumes of the fleet.

use super::inventory_table::{
    Details, EmptyText, ItemPage, device_link,
    rows::{ItemOnDevice, age_cell, mono_cell, name_cell, text_cell},
};
use crate::{
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{Column, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{frame, inventory_table as copy, items as words},
    query::{Key, Subject},
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Row, inventory::Volume};
use leptos::prelude::*;

const SPEC: TableSpec = TableSpec {
    id: "volumes",
    label: frame::VOLUMES,
    filter: words::FILTER_VOLUMES,
    one: "volume",
    many: "volumes",
    columns: &[
        Column::text("name", words::NAME, 12.0),
        Column::text("device", words::DEVICE, 9.0),
        Column::text("driver", words::DRIVER, 6.0),
        Column::text("used", words::USED_BY, 10.0),
        Column::text("stack", words::STACK, 8.0),
        Column::figures("created", words::CREATED, 6.5).hidden(),
        Column::text("mountpoint", words::MOUNT_POINT, 16.0).hidden(),
        Column::text("labels", words::LABELS, 12.0).hidden(),
    ],
    keys: &[Key::Status, Key::Device, Key::Tag, Key::Driver, Key::Stack],
    facets: &[
        Facet {
            key: Key::Status,
            title: words::USE,
            values: words::USES,
        },
        Facet {
            key: Key::Driver,
            title: words::DRIVER,
            values: &[],
        },
    ],
    sort: &[SortBy::up("name"), SortBy::up("device")],
    sort_words: words::BY_NAME,
    leaving: &["stack", "driver", "used", "device"],
    narrow: Narrow {
        title: "name",
        status: None,
        below: "device",
        figure: Some("used"),
    },
    age: "used",
    selectable: false,
};

#[derive(Debug)]
struct VolumeRow {
    item: ItemOnDevice<Volume>,
    used_by: String,
    labels: String,
    subject: Subject,
}

impl VolumeRow {
    fn new(item: ItemOnDevice<Volume>) -> Self {
        let volume = &item.row.item;
        let used_by = volume.used_by.join(", ");
        let labels = labels_of(volume).join(", ");
        let stack = volume.stack.as_deref().unwrap_or_default();
        let mut subject = item.subject([volume.name.as_str(), &used_by, stack, &labels]);
        subject = subject.with(
            Key::Status,
            if volume.used_by.is_empty() {
                "unused"
            } else {
                "used"
            },
        );
        subject = subject.with(Key::Driver, &volume.driver);
        if !stack.is_empty() {
            subject = subject.with(Key::Stack, stack);
        }
        Self {
            used_by,
            labels,
            subject,
            item,
        }
    }

    fn volume(&self) -> &Volume {
        &self.item.row.item
    }
}

impl TableRow for VolumeRow {
    fn key(&self) -> &str {
        &self.item.key
    }
    fn label(&self) -> String {
        format!(
            "{}, {}, {}",
            self.volume().name,
            words::used_by(self.volume().used_by.len()),
            self.item.device.name
        )
    }
    fn name(&self) -> &str {
        &self.volume().name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.item.stale_since()
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        let volume = self.volume();
        match column {
            "device" => SortKey::Text(&self.item.device.name),
            "driver" => SortKey::Text(&volume.driver),
            "used" if self.used_by.is_empty() => SortKey::Nothing,
            "used" => SortKey::Text(&self.used_by),
            "stack" => volume.stack.as_deref().map_or(SortKey::Nothing, SortKey::Text),
            "created" => volume
                .created
                .map_or(SortKey::Nothing, |at| SortKey::Number(-(at.as_second() as f64))),
            "mountpoint" => SortKey::Text(&volume.mountpoint),
            "labels" if self.labels.is_empty() => SortKey::Nothing,
            "labels" => SortKey::Text(&self.labels),
            _ => SortKey::Text(&volume.name),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        let volume = self.volume();
        match column {
            "name" => name_cell(&volume.name),
            "device" => self.item.device_cell(),
            "driver" => text_cell(Some(&volume.driver)),
            "used" => text_cell(Some(&self.used_by)),
            "stack" => text_cell(volume.stack.as_deref()),
            "created" => age_cell(volume.created),
            "mountpoint" => mono_cell(Some(&volume.mountpoint)),
            "labels" => text_cell(Some(&self.labels)),
            _ => ().into_any(),
        }
    }
}

#[component]
pub fn VolumesPage() -> impl IntoView {
    let store = use_store();
    store.ensure_volumes();
    ItemPage {
        spec: &SPEC,
        address: "/volumes",
        collection: store.volumes,
        empty_text: EmptyText {
            glyph: lucide::HARD_DRIVE,
            title: copy::NO_VOLUMES,
            text: copy::NO_VOLUMES_TEXT,
        },
        row: VolumeRow::new,
        key: |volume| &volume.name,
        details,
        actions: |_| Vec::new(),
    }
    .view()
}

fn details(row: &Row<Volume>) -> Details {
    let volume = &row.item;
    Details {
        name: volume.name.clone(),
        facts: vec![
            Fact::new(words::DEVICE, device_link(&row.device)),
            Fact::new(words::DRIVER, volume.driver.clone()),
            Fact::new(words::USED_BY, volume.used_by.clone()),
            Fact::new(words::STACK, volume.stack.clone()),
            Fact::new(words::CREATED, volume.created),
            Fact::new(words::MOUNT_POINT, Value::mono(&volume.mountpoint)),
            Fact::new(words::LABELS, labels_of(volume)),
        ],
    }
}

fn labels_of(volume: &Volume) -> Vec<String> {
    let label = |(name, value)| format!("{name}={value}");
    volume.labels.iter().map(label).collect()
}
