//! The networks of the fleet: the table and the page.

use super::inventory_table::{Details, EmptyText, ItemPage, device_link};
use crate::{
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{self, About, Narrow, Table},
    },
    copy::{frame, inventory_table as copy, items as words},
    format,
    query::Key,
    store::use_store,
    tables::on_device::{DEVICE_SCOPE, DeviceSummary, ItemRow, ListedItem, device_column, id_column},
};
use flotilla_protocol::{api::Row, inventory::Network};
use leptos::prelude::*;

pub type NetworkRow = ItemRow<Network>;
type Column = table::Column<NetworkRow>;

pub static NETWORKS: Table<NetworkRow> = Table::new(
    About {
        word: "networks",
        label: frame::NETWORKS,
        filter: words::FILTER_NETWORKS,
        one: "network",
        many: "networks",
        sort_words: words::BY_NAME,
        scope: DEVICE_SCOPE,
    },
    &[
        Column::text("name", words::NAME, 12.0, |row| &row.item().name).ordered(1),
        device_column::<Network>(words::DEVICE, 9.0).ordered(2),
        Column::text("driver", words::DRIVER, 6.0, |row| &row.item().driver)
            .facet(Key::Driver, words::DRIVER, &[], |row, fact| {
                fact(&row.item().driver)
            })
            .narrow(Narrow::Status)
            .priority(2),
        Column::text("subnet", words::SUBNET, 10.0, |row| &row.derived.subnets)
            .mono()
            .narrow(Narrow::Figure)
            .priority(4),
        Column::text("containers", words::CONTAINERS, 9.0, |row| {
            &row.derived.containers
        })
        .ages()
        .priority(3),
        Column::text("stack", words::STACK, 8.0, stack)
            .fact(Key::Stack, |row, fact| fact(stack(row)))
            .priority(1),
        Column::text("internal", words::INTERNAL, 5.0, |row| {
            words::yes_no(row.item().internal)
        })
        .unsearched()
        .fixed()
        .hidden(),
        Column::text("attachable", words::ATTACHABLE, 6.0, |row| {
            words::yes_no(row.item().attachable)
        })
        .unsearched()
        .fixed()
        .hidden(),
        id_column::<Network>(),
    ],
);

#[derive(Debug)]
pub struct NetworkTexts {
    subnets: String,
    containers: String,
}

impl ListedItem for Network {
    type Derived = NetworkTexts;
    const PAGE: &'static str = "/networks";

    fn table() -> &'static Table<NetworkRow> {
        &NETWORKS
    }
    fn derive(network: &Self, _: &DeviceSummary) -> NetworkTexts {
        NetworkTexts {
            subnets: network.subnets.join(", "),
            containers: network.containers.join(", "),
        }
    }
    fn name(row: &NetworkRow) -> &str {
        &row.item().name
    }
    fn place(&self) -> &str {
        &self.name
    }
    fn state(row: &NetworkRow) -> String {
        row.item().driver.clone()
    }
}

fn stack(row: &NetworkRow) -> &str {
    row.item().stack.as_deref().unwrap_or_default()
}

#[component]
pub fn NetworksPage() -> impl IntoView {
    let store = use_store();
    store.ensure_networks();
    ItemPage {
        collection: store.networks,
        only: Signal::derive(|| None),
        empty_text: EmptyText {
            glyph: lucide::NETWORK,
            title: copy::NO_NETWORKS,
            text: copy::NO_NETWORKS_TEXT,
        },
        details,
        actions: None,
        below: None,
    }
    .view()
}

fn details(row: &Row<Network>) -> Details {
    let network = &row.item;
    Details {
        name: network.name.clone(),
        facts: vec![
            Fact::new(words::DEVICE, device_link(row)),
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
