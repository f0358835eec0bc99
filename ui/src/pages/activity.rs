//! The activity log, newest entries first.

use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, Tone, status_badge},
        button::Button,
        empty::EmptyState,
        error_state::ErrorState,
        icon::lucide,
        skeleton::Skeleton,
        table::{Column, DataTable, Facet, Narrow, Rows, SortBy, SortKey, TableRow, TableSpec, TableState},
    },
    copy::{activity as copy, events, frame},
    frame::PageActions,
    pages::inventory_table::{
        outdated,
        rows::{name_cell, text_cell},
    },
    query::{Key, Subject},
    store::{Load, use_store},
};
use flotilla_protocol::activity::{Activity, Actor};
use leptos::prelude::*;
use std::sync::Arc;

const SPEC: TableSpec = TableSpec {
    id: "activity",
    label: frame::ACTIVITY,
    filter: copy::FILTER,
    one: "entry",
    many: "entries",
    columns: &[
        Column::text("action", copy::ACTION, 15.0),
        Column::text("time", copy::TIME, 6.5).fixed(),
        Column::text("who", copy::WHO, 8.0),
        Column::text("target", copy::TARGET, 8.0),
        Column::text("device", copy::DEVICE, 8.0),
        Column::text("result", copy::RESULT, 6.0).fixed(),
        Column::text("details", copy::DETAILS, 11.0),
    ],
    keys: &[Key::Who, Key::Action, Key::Device, Key::Status],
    facets: &[
        Facet {
            key: Key::Status,
            title: copy::RESULT,
            values: copy::RESULTS,
        },
        Facet {
            key: Key::Who,
            title: copy::WHO,
            values: &[],
        },
    ],
    sort: &[SortBy {
        column: "time",
        descending: true,
    }],
    sort_words: copy::NEWEST_FIRST,
    leaving: &["details", "target", "who", "device", "result"],
    narrow: Narrow {
        title: "action",
        status: Some("result"),
        below: "details",
        figure: Some("time"),
    },
    age: "time",
    selectable: false,
};

#[derive(Debug)]
struct ActivityRow {
    entry: Arc<Activity>,
    key: String,
    sentence: String,
    who: String,
    subject: Subject,
}

impl ActivityRow {
    fn new(entry: Arc<Activity>) -> Self {
        let (sentence, who) = (events::sentence(&entry), events::who(&entry.actor));
        let target = entry.target.as_deref().unwrap_or_default();
        let device = entry.device.as_deref().unwrap_or_default();
        let mut subject = Subject::new([sentence.as_str(), &who, target, device, &entry.details]);
        let actor = match &entry.actor {
            Actor::Owner => "you",
            Actor::Token { .. } => "token",
            Actor::Device { .. } => "device",
            Actor::Stranger { .. } => "stranger",
            Actor::Control => "controller",
            Actor::Unknown => "unknown",
        };
        subject = subject
            .with(Key::Who, actor)
            .with(Key::Action, copy::word(entry.action));
        subject = subject.with(Key::Status, if entry.succeeded { "done" } else { "refused" });
        if !device.is_empty() {
            subject = subject.with(Key::Device, device);
        }
        Self {
            key: entry.id.to_string(),
            sentence,
            who,
            subject,
            entry,
        }
    }

    fn result(&self) -> Status {
        if self.entry.succeeded {
            Status {
                tone: Tone::Ok,
                glyph: lucide::CHECK,
                word: copy::DONE.to_owned(),
            }
        } else {
            Status {
                tone: Tone::Bad,
                glyph: lucide::CIRCLE_X,
                word: copy::REFUSED.to_owned(),
            }
        }
    }
}

impl TableRow for ActivityRow {
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        self.sentence.clone()
    }
    fn name(&self) -> &str {
        &self.sentence
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    #[expect(clippy::cast_precision_loss, reason = "no log has 2^52 entries")]
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        match column {
            "action" => SortKey::Text(&self.sentence),
            "who" => SortKey::Text(&self.who),
            "target" => self
                .entry
                .target
                .as_deref()
                .map_or(SortKey::Nothing, SortKey::Text),
            "device" => self
                .entry
                .device
                .as_deref()
                .map_or(SortKey::Nothing, SortKey::Text),
            "result" => SortKey::Number(f64::from(u8::from(self.entry.succeeded))),
            "details" => SortKey::Text(&self.entry.details),
            _ => SortKey::Number(self.entry.id as f64),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        match column {
            "action" => name_cell(&self.sentence),
            "time" => view! { <AgeLabel moment=self.entry.at/> }.into_any(),
            "who" => text_cell(Some(&self.who)),
            "target" => text_cell(self.entry.target.as_deref()),
            "device" => text_cell(self.entry.device.as_deref()),
            "result" => status_badge(&self.result(), false, false),
            "details" => text_cell(Some(&self.entry.details)),
            _ => ().into_any(),
        }
    }
}

#[component]
pub fn ActivityPage() -> impl IntoView {
    let store = use_store();
    store.ensure_activity();
    let rows = Memo::new(move |_| {
        let rows = store.activity.with(|collection| {
            let row = |entry: &Arc<Activity>| Arc::new(ActivityRow::new(entry.clone())) as Arc<dyn TableRow>;
            collection.rows().values().map(row).collect()
        });
        Rows(Arc::new(rows))
    });
    let table = TableState::new(&SPEC, rows.into(), outdated());
    let stage = Memo::new(move |_| {
        store.activity.with(|collection| match collection.load() {
            _ if !collection.rows().is_empty() => None,
            Load::Failed(failure) => Some(Some(failure.to_string())),
            _ => Some(None),
        })
    });
    let filled = Memo::new(move |_| store.activity.with(|collection| collection.is_filled()));
    let older = Memo::new(move |_| {
        store
            .activity
            .with(|collection| collection.rows().keys().next().is_some_and(|id| *id > 1))
    });
    view! {
        <Show when=move || older.get() fallback=|| ()>
            <PageActions><Button label=copy::OLDER on_press=move || store.load_older_activity()/></PageActions>
        </Show>
        <div class="table-page">
            {move || match stage.get() {
                None => view! { <DataTable table/> }.into_any(),
                Some(Some(message)) => view! { <ErrorState message on_retry=move || store.reload()/> }.into_any(),
                Some(None) if filled.get() => view! { <EmptyState glyph=lucide::HISTORY title=copy::EMPTY text=copy::EMPTY_TEXT/> }.into_any(),
                Some(None) => view! { <Skeleton bones=12 sentence=copy::LOADING/> }.into_any(),
            }}
        </div>
    }
}
