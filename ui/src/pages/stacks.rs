//! The Compose projects of the fleet.

use super::inventory_table::{
    Details, EmptyText, ItemPage, device_link,
    rows::{self, ItemOnDevice, name_cell},
};
use crate::{
    components::{
        badge::{Status, Tone},
        facts::{Fact, Value},
        icon::lucide,
        table::{Column, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{frame, inventory_table as copy, items as words},
    query::{Key, Subject},
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Row, inventory::Stack};
use leptos::prelude::*;

const SPEC: TableSpec = TableSpec {
    id: "stacks",
    label: frame::STACKS,
    filter: words::FILTER_STACKS,
    one: "stack",
    many: "stacks",
    columns: &[
        Column::text("name", words::NAME, 10.0),
        Column::text("state", words::STATE, 9.5).fixed(),
        Column::text("device", words::DEVICE, 8.5),
        Column::text("services", words::SERVICES, 13.0),
    ],
    keys: &[Key::Status, Key::Device, Key::Tag],
    facets: &[Facet {
        key: Key::Status,
        title: words::STATE,
        values: words::STACK_STATES,
    }],
    sort: &[SortBy::up("state"), SortBy::up("name")],
    sort_words: crate::copy::containers::TROUBLE_FIRST,
    leaving: &["services", "device"],
    narrow: Narrow {
        title: "name",
        status: Some("state"),
        below: "device",
        figure: None,
    },
    age: "services",
    selectable: false,
};

#[derive(Debug)]
struct StackRow {
    item: ItemOnDevice<Stack>,
    services: String,
    subject: Subject,
}

impl StackRow {
    fn new(item: ItemOnDevice<Stack>) -> Self {
        let stack = &item.row.item;
        let services = stack.services.join(", ");
        let shared = (!stack.folders.is_empty()).then(|| words::folders(stack.folders.len()));
        let subject = item
            .subject(
                [stack.name.as_str(), &services]
                    .into_iter()
                    .chain(shared.as_deref()),
            )
            .with(Key::Status, word(stack));
        Self {
            services,
            subject,
            item,
        }
    }

    fn stack(&self) -> &Stack {
        &self.item.row.item
    }
}

fn word(stack: &Stack) -> &'static str {
    match stack.running {
        _ if stack.unhealthy > 0 => "unhealthy",
        0 => "stopped",
        running if running < stack.total => "partial",
        _ => "running",
    }
}

fn status(stack: &Stack) -> Status {
    let (tone, glyph) = match word(stack) {
        "unhealthy" => (Tone::Bad, lucide::HEART_CRACK),
        "stopped" => (Tone::Off, lucide::SQUARE),
        "partial" => (Tone::Warn, lucide::TRIANGLE_ALERT),
        _ => (Tone::Ok, lucide::PLAY),
    };
    Status {
        tone,
        glyph,
        word: words::running_of(stack.running, stack.total),
    }
}

impl TableRow for StackRow {
    fn key(&self) -> &str {
        &self.item.key
    }
    fn label(&self) -> String {
        format!(
            "{}, {}, {}",
            self.stack().name,
            status(self.stack()).word,
            self.item.device.name
        )
    }
    fn name(&self) -> &str {
        &self.stack().name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.item.stale_since()
    }
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        match column {
            "state" => SortKey::Number(match word(self.stack()) {
                "unhealthy" => 0.0,
                "partial" => 1.0,
                "running" => 2.0,
                _ => 3.0,
            }),
            "device" => SortKey::Text(&self.item.device.name),
            "services" => SortKey::Text(&self.services),
            _ => SortKey::Text(&self.stack().name),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        match column {
            "name" => own_name(self.stack()),
            "state" => self.item.status_cell(&status(self.stack())),
            "device" => self.item.device_cell(),
            "services" => rows::text_cell(Some(&self.services)),
            _ => ().into_any(),
        }
    }
}

#[component]
pub fn StacksPage() -> impl IntoView {
    let store = use_store();
    store.ensure_stacks();
    ItemPage {
        spec: &SPEC,
        address: "/stacks",
        collection: store.stacks,
        empty_text: EmptyText {
            glyph: lucide::LAYERS,
            title: copy::NO_STACKS,
            text: copy::NO_STACKS_TEXT,
        },
        row: StackRow::new,
        key: |stack| &stack.name,
        details,
        actions: |_| Vec::new(),
    }
    .view()
}

/// The name, with the number of folders if several use it.
fn own_name(stack: &Stack) -> AnyView {
    let name = name_cell(&stack.name);
    if stack.folders.is_empty() {
        return name;
    }
    view! { {name}<span class="tag">{words::folders(stack.folders.len())}</span> }.into_any()
}

fn files(paths: &[String]) -> Vec<String> {
    let shown = |path: &String| match path.as_str() {
        "-" => words::STANDARD_INPUT.to_owned(),
        path => path.to_owned(),
    };
    paths.iter().map(shown).collect()
}

/// The folders with their files; empty if only one folder uses the name.
fn folders(stack: &Stack) -> Vec<String> {
    let folders = stack.folders.iter();
    folders
        .map(|folder| format!("{}: {}", folder.path, files(&folder.config_files).join(", ")))
        .collect()
}

fn details(row: &Row<Stack>) -> Details {
    let stack = &row.item;
    let containers = format!("/containers?q=stack:{} device:{}", stack.name, row.device);
    Details {
        name: stack.name.clone(),
        facts: vec![
            Fact::new(words::STATE, status(stack)),
            Fact::new(words::DEVICE, device_link(&row.device)),
            Fact::new(words::SERVICES, stack.services.clone()),
            Fact::new(words::FILES, files(&stack.config_files)),
            Fact::new(words::FOLDERS, folders(stack)),
            Fact::new(
                words::CONTAINERS,
                Value::link(words::show_containers(stack.total), containers),
            ),
        ],
    }
}
