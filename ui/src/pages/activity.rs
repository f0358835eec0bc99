//! The activity log, newest entries first: the table and the page.

use crate::{
    components::{
        badge::{Status, Tone, status_badge},
        button::Button,
        empty::EmptyState,
        icon::lucide,
        loaded::Loaded,
        table::{
            self, About, DataTable, Narrow, Same, Table, TableRow, TableRows, TableState, age_cell, rows_of,
        },
        toast::use_toaster,
    },
    copy::{activity as copy, events, frame},
    frame::PageActions,
    pages::inventory_table::outdated,
    query::Key,
    store::{Load, load_of, use_store},
};
use flotilla_protocol::activity::{Activity, Actor};
use leptos::prelude::*;
use std::sync::Arc;

type Column = table::Column<ActivityRow>;

pub static ACTIVITY: Table<ActivityRow> = Table::new(
    About {
        word: "activity",
        label: frame::ACTIVITY,
        filter: copy::FILTER,
        one: "entry",
        many: "entries",
        sort_words: copy::NEWEST_FIRST,
        scope: &[],
    },
    &[
        Column::text("action", copy::ACTION, 15.0, |row| &row.sentence)
            .fact(Key::Action, |row, fact| fact(copy::word(row.entry.action))),
        Column::view(
            "time",
            copy::TIME,
            6.5,
            |row| age_cell(Some(row.entry.at)),
            |row| u64::try_from(row.entry.id).unwrap_or_default().into(),
        )
        .fixed()
        .narrow(Narrow::Figure)
        .ages()
        .descends()
        .ordered(1),
        Column::text("who", copy::WHO, 8.0, |row| &row.who)
            .facet(Key::Who, copy::WHO, &[], |row, fact| {
                fact(kind_of(&row.entry.actor))
            })
            .priority(3),
        Column::text("target", copy::TARGET, 8.0, |row| {
            row.entry.target.as_deref().unwrap_or_default()
        })
        .priority(2),
        Column::text("device", copy::DEVICE, 8.0, device)
            .fact(Key::Device, |row, fact| fact(device(row)))
            .priority(4),
        Column::view("result", copy::RESULT, 6.0, result_cell, |row| {
            u8::from(row.entry.succeeded).into()
        })
        .facet(Key::Status, copy::RESULT, copy::RESULTS, |row, fact| {
            fact(if row.entry.succeeded { "done" } else { "refused" });
        })
        .fixed()
        .narrow(Narrow::Status)
        .priority(5),
        Column::text("details", copy::DETAILS, 11.0, |row| &row.entry.details)
            .narrow(Narrow::Below)
            .priority(1),
    ],
);

#[derive(Debug)]
pub struct ActivityRow {
    entry: Arc<Activity>,
    key: String,
    sentence: String,
    who: String,
}

impl ActivityRow {
    fn new(entry: Arc<Activity>) -> Self {
        Self {
            key: entry.id.to_string(),
            sentence: events::sentence(&entry),
            who: events::who(&entry.actor),
            entry,
        }
    }
}

impl TableRow for ActivityRow {
    fn table() -> &'static Table<Self> {
        &ACTIVITY
    }
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        self.sentence.clone()
    }
    fn name(&self) -> &str {
        &self.sentence
    }
}

/// The rows of all entries that are loaded.
fn activity_rows() -> TableRows<ActivityRow> {
    let store = use_store();
    let source = |(id, entry): (&i64, &Arc<Activity>)| (*id, Same(entry.clone()));
    let sources = move || {
        store
            .activity
            .with(|entries| entries.rows().iter().map(source).collect())
    };
    rows_of(sources, |Same(entry): &Same<Activity>| {
        ActivityRow::new(entry.clone())
    })
}

fn kind_of(actor: &Actor) -> &'static str {
    match actor {
        Actor::Owner => "you",
        Actor::Token { .. } => "token",
        Actor::Device { .. } => "device",
        Actor::Stranger { .. } => "stranger",
        Actor::Control => "controller",
        Actor::Unknown => "unknown",
    }
}

fn device(row: &ActivityRow) -> &str {
    row.entry.device.as_deref().unwrap_or_default()
}

fn result_cell(row: &ActivityRow) -> AnyView {
    let (tone, glyph, word) = if row.entry.succeeded {
        (Tone::Ok, lucide::CHECK, copy::DONE)
    } else {
        (Tone::Bad, lucide::CIRCLE_X, copy::REFUSED)
    };
    let status = Status {
        tone,
        glyph,
        word: word.to_owned(),
    };
    status_badge(&status, false, false)
}

#[component]
pub fn ActivityPage() -> impl IntoView {
    let store = use_store();
    store.ensure_activity();
    let table = TableState::new(activity_rows(), outdated());
    let is_empty = Memo::new(move |_| store.activity.with(|log| log.rows().is_empty()));
    let has_older = Memo::new(move |_| store.activity.with(|log| log.has_older()));
    let older = load_of(store.older_activity);
    let busy = Memo::new(move |_| older.with(Load::is_going));
    let failure = Memo::new(move |_| older.with(|load| load.failure().map(ToString::to_string)));
    let toaster = use_toaster();
    Effect::new(move || {
        if let Some(failure) = failure.get() {
            toaster.fail(failure);
        }
    });
    view! {
        <Show when=move || has_older.get() fallback=|| ()>
            <PageActions><Button label=copy::OLDER busy on_press=move || store.load_older_activity()/></PageActions>
        </Show>
        <div class="table-page">
            <Loaded load=load_of(store.activity) bones=12 sentence=copy::LOADING on_retry=move || store.reload()>
                {move || if is_empty.get() {
                    view! { <EmptyState glyph=lucide::HISTORY title=copy::EMPTY text=copy::EMPTY_TEXT/> }.into_any()
                } else {
                    view! { <DataTable table/> }.into_any()
                }}
            </Loaded>
        </div>
    }
}
