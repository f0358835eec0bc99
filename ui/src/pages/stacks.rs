//! The Compose projects of the fleet: the table and the page.

use super::inventory_table::{Details, EmptyText, ItemActions, ItemPage, device_link};
use crate::{
    actions::{StackObject, stacks::containers_address},
    components::{
        badge::{Status, Tone},
        facts::{Fact, Value},
        icon::lucide,
        table::{self, About, Narrow, Table, TableRow},
    },
    copy::{containers::TROUBLE_FIRST, frame, inventory_table as copy, items as words},
    query::Key,
    store::use_store,
    tables::on_device::{DEVICE_SCOPE, DeviceSummary, ItemRow, ListedItem, device_column},
};
use flotilla_protocol::{api::Row, inventory::Stack};
use leptos::prelude::*;

pub type StackRow = ItemRow<Stack>;
type Column = table::Column<StackRow>;

pub static STACKS: Table<StackRow> = Table::new(
    About {
        word: "stacks",
        label: frame::STACKS,
        filter: words::FILTER_STACKS,
        one: "stack",
        many: "stacks",
        sort_words: TROUBLE_FIRST,
        scope: DEVICE_SCOPE,
    },
    &[
        Column::text("name", words::NAME, 10.0, |row| &row.item().name)
            .mark(|row| shared_name(row.item()))
            .words(|row| &row.derived.names)
            .ordered(2),
        Column::view(
            "state",
            words::STATE,
            9.5,
            |row| row.status_cell(&status(row.item())),
            |row| urgency(row).into(),
        )
        .facet(Key::Status, words::STATE, words::STACK_STATES, |row, fact| {
            fact(word(row.item()))
        })
        .fixed()
        .narrow(Narrow::Status)
        .ordered(1),
        device_column::<Stack>(words::DEVICE, 8.5).priority(2),
        Column::text("services", words::SERVICES, 13.0, |row| &row.derived.services)
            .ages()
            .priority(1),
    ],
);

#[derive(Debug)]
pub struct StackTexts {
    /// The name and, if several folders use it, that they do.
    names: String,
    services: String,
}

impl ListedItem for Stack {
    type Derived = StackTexts;
    const PAGE: &'static str = "/stacks";

    fn table() -> &'static Table<StackRow> {
        &STACKS
    }
    fn derive(stack: &Self, _: &DeviceSummary) -> StackTexts {
        let shared = (!stack.folders.is_empty()).then(|| words::folders(stack.folders.len()));
        StackTexts {
            names: format!("{}\n{}", stack.name, shared.unwrap_or_default()),
            services: stack.services.join(", "),
        }
    }
    fn name(row: &StackRow) -> &str {
        &row.item().name
    }
    fn place(&self) -> &str {
        &self.name
    }
    fn state(row: &StackRow) -> String {
        status(row.item()).word
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

/// The rank of a stack; the lowest comes first. What an old report says is no trouble.
fn urgency(row: &StackRow) -> u8 {
    match word(row.item()) {
        "stopped" => 3,
        "running" => 2,
        _ if row.stale_since().is_some() => 2,
        "partial" => 1,
        _ => 0,
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

/// How many folders use the name, if several do.
fn shared_name(stack: &Stack) -> Option<AnyView> {
    let number = stack.folders.len();
    (number > 0).then(|| view! { <span class="tag">{words::folders(number)}</span> }.into_any())
}

#[component]
pub fn StacksPage() -> impl IntoView {
    let store = use_store();
    store.ensure_stacks();
    ItemPage {
        collection: store.stacks,
        only: Signal::derive(|| None),
        empty_text: EmptyText {
            glyph: lucide::LAYERS,
            title: copy::NO_STACKS,
            text: copy::NO_STACKS_TEXT,
        },
        details,
        actions: Some(ItemActions::of::<StackObject>()),
        below: None,
    }
    .view()
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
    Details {
        name: stack.name.clone(),
        facts: vec![
            Fact::new(words::STATE, status(stack)),
            Fact::new(words::DEVICE, device_link(row)),
            Fact::new(words::SERVICES, stack.services.clone()),
            Fact::new(words::FILES, files(&stack.config_files)),
            Fact::new(words::FOLDERS, folders(stack)),
            Fact::new(
                words::CONTAINERS,
                Value::link(words::show_containers(stack.total), containers_address(row)),
            ),
        ],
    }
}
