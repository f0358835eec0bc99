//! The networks of the fleet.

use super::inventory_table::{
    Details, EmptyText, ItemPage, device_link,
    rows::{ItemOnDevice, mono_cell, name_cell, text_cell},
};
use crate::{
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{Column, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{frame, inventory_table as copy, items as words},
    format,
    query::{Key, Subject},
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Row, inventory::Network};
use leptos::prelude::*;

const SPEC: TableSpec = TableSpec {
    id: "networks",
    label: frame::NETWORKS,
    filter: words::FILTER_NETWORKS,
    one: "network",
    many: "networks",
    columns: &[
        Column::text("name", words::NAME, 12.0),
        Column::text("device", words::DEVICE, 9.0),
        Column::text("driver", words::DRIVER, 6.0),
        Column::text("subnet", words::SUBNET, 10.0),
        Column::text("containers", words::CONTAINERS, 9.0),
        Column::text("stack", words::STACK, 8.0),
        Column::text("internal", words::INTERNAL, 5.0).fixed().hidden(),
        Column::text("attachable", words::ATTACHABLE, 6.0)
            .fixed()
            .hidden(),
        Column::text("id", words::ID, 8.0).fixed().hidden(),
    ],
    keys: &[Key::Device, Key::Tag, Key::Driver, Key::Stack],
    facets: &[Facet {
        key: Key::Driver,
        title: words::DRIVER,
        values: &[],
    }],
    sort: &[SortBy::up("name"), SortBy::up("device")],
    sort_words: words::BY_NAME,
    leaving: &["stack", "driver", "containers", "subnet"],
    narrow: Narrow {
        title: "name",
        status: Some("driver"),
        below: "device",
        figure: Some("subnet"),
    },
    age: "containers",
    selectable: false,
};

#[derive(Debug)]
struct NetworkRow {
    item: ItemOnDevice<Network>,
    subnets: String,
    containers: String,
    subject: Subject,
}

impl NetworkRow {
    fn new(item: ItemOnDevice<Network>) -> Self {
        let network = &item.row.item;
        let subnets = network.subnets.join(", ");
        let containers = network.containers.join(", ");
        let stack = network.stack.as_deref().unwrap_or_default();
        let mut subject = item.subject([network.name.as_str(), &subnets, &containers, stack]);
        subject = subject.with(Key::Driver, &network.driver);
        if !stack.is_empty() {
            subject = subject.with(Key::Stack, stack);
        }
        Self {
            subnets,
            containers,
            subject,
            item,
        }
    }

    fn network(&self) -> &Network {
        &self.item.row.item
    }
}

fn or_nothing(text: &str) -> SortKey<'_> {
    if text.is_empty() {
        SortKey::Nothing
    } else {
        SortKey::Text(text)
    }
}

impl TableRow for NetworkRow {
    fn key(&self) -> &str {
        &self.item.key
    }
    fn label(&self) -> String {
        format!(
            "{}, {}, {}",
            self.network().name,
            self.network().driver,
            self.item.device.name
        )
    }
    fn name(&self) -> &str {
        &self.network().name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.item.stale_since()
    }
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        let network = self.network();
        match column {
            "device" => SortKey::Text(&self.item.device.name),
            "driver" => SortKey::Text(&network.driver),
            "subnet" => or_nothing(&self.subnets),
            "containers" => or_nothing(&self.containers),
            "stack" => or_nothing(network.stack.as_deref().unwrap_or_default()),
            "internal" => SortKey::Text(words::yes_no(network.internal)),
            "attachable" => SortKey::Text(words::yes_no(network.attachable)),
            "id" => SortKey::Text(&network.id),
            _ => SortKey::Text(&network.name),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        let network = self.network();
        match column {
            "name" => name_cell(&network.name),
            "device" => self.item.device_cell(),
            "driver" => text_cell(Some(&network.driver)),
            "subnet" => mono_cell(Some(&self.subnets)),
            "containers" => text_cell(Some(&self.containers)),
            "stack" => text_cell(network.stack.as_deref()),
            "internal" => words::yes_no(network.internal).into_any(),
            "attachable" => words::yes_no(network.attachable).into_any(),
            "id" => mono_cell(Some(format::short_id(&network.id))),
            _ => ().into_any(),
        }
    }
}

#[component]
pub fn NetworksPage() -> impl IntoView {
    let store = use_store();
    store.ensure_networks();
    ItemPage {
        spec: &SPEC,
        address: "/networks",
        collection: store.networks,
        empty_text: EmptyText {
            glyph: lucide::NETWORK,
            title: copy::NO_NETWORKS,
            text: copy::NO_NETWORKS_TEXT,
        },
        row: NetworkRow::new,
        key: |network| &network.name,
        details,
        actions: |_| Vec::new(),
    }
    .view()
}

fn details(row: &Row<Network>) -> Details {
    let network = &row.item;
    Details {
        name: network.name.clone(),
        facts: vec![
            Fact::new(words::DEVICE, device_link(&row.device)),
            Fact::new(words::DRIVER, network.driver.clone()),
            Fact::new(words::SUBNET, network.subnets.clone()),
            Fact::new(words::CONTAINERS, network.containers.clone()),
            Fact::new(words::STACK, network.stack.clone()),
            Fact::new(words::INTERNAL, words::yes_no(network.internal)),
            Fact::new(words::ATTACHABLE, words::yes_no(network.attachable)),
            Fact::new(words::ID, Value::mono(format::short_id(&network.id))),
        ],
    }
}
