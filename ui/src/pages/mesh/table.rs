//! The table of paths, with both directions of each pair of devices.

use super::{PathTest, RoundTrips, test_all::TestAll};
use crate::{
    components::{
        badge::{Status, status_badge},
        button::Button,
        dialog::Dialog,
        empty::EmptyState,
        error_state::ErrorState,
        icon::lucide,
        path_badge::PathFacts,
        skeleton::Skeleton,
        sparkline::Sparkline,
        table::{
            Column, DataTable, Facet, Narrow, RowAction, RowActions, Rows, SortBy, SortKey, TableRow,
            TableSpec, TableState,
        },
    },
    copy::mesh as copy,
    format,
    pages::inventory_table::{
        outdated,
        rows::{age_cell, device_summaries, name_cell, text_cell},
    },
    query::{Key, Subject},
    store::{Load, use_store},
};
use flotilla_protocol::{
    Timestamp,
    id::DeviceId,
    path::{Path, PathKind},
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use std::{collections::BTreeMap, sync::Arc};

const SPEC: TableSpec = TableSpec {
    id: "paths",
    label: copy::PATHS,
    filter: copy::FILTER_PATHS,
    one: "path",
    many: "paths",
    columns: &[
        Column::text("from", copy::FROM, 6.0),
        Column::text("to", copy::TO, 6.0),
        Column::text("path", copy::PATH, 6.5).fixed(),
        Column::text("why", copy::REASON, 11.0),
        Column::figures("rtt", copy::RTT, 7.5).live(),
        Column::figures("since", copy::SINCE, 5.5),
        Column::figures("received", copy::RECEIVED, 5.0).live(),
        Column::figures("sent", copy::SENT, 4.5).live(),
        Column::text("relay", copy::RELAY, 7.0).hidden(),
        Column::figures("handshake", copy::HANDSHAKE, 7.0).hidden(),
        Column::figures("mtu", copy::MTU, 3.5).hidden(),
    ],
    keys: &[Key::Path, Key::Device],
    facets: &[Facet {
        key: Key::Path,
        title: copy::PATH,
        values: copy::KINDS,
    }],
    sort: &[SortBy::up("path"), SortBy::up("from")],
    sort_words: copy::TROUBLE_FIRST,
    leaving: &["sent", "received", "since", "rtt", "why"],
    narrow: Narrow {
        title: "from",
        status: Some("path"),
        below: "to",
        figure: Some("rtt"),
    },
    age: "why",
    selectable: false,
};

#[derive(Debug)]
struct PathRow {
    path: Arc<Path>,
    key: String,
    name: String,
    status: Status,
    stale: bool,
    /// The last round trips, the oldest first.
    trips: Vec<f32>,
    subject: Subject,
}

impl PathRow {
    fn new(path: Arc<Path>, stale: bool, trips: Vec<f32>) -> Self {
        let status = Status::of_path(path.kind);
        let (from, to) = (path.from.as_str(), path.to.as_str());
        let relay = path.relay.as_deref().unwrap_or_default();
        let subject = Subject::new([from, to, &path.why, relay])
            .with(Key::Path, copy::kind(path.kind))
            .with(Key::Device, from)
            .with(Key::Device, to);
        let name = copy::between(from, to);
        Self {
            key: key_of((path.from_id, path.to_id)),
            name,
            status,
            stale,
            trips,
            subject,
            path,
        }
    }
}

fn key_of((from, to): (DeviceId, DeviceId)) -> String {
    format!("{from}/{to}")
}

fn ends_of(key: &str) -> Option<(DeviceId, DeviceId)> {
    let (from, to) = key.split_once('/')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

#[expect(clippy::cast_precision_loss, reason = "an order needs no last digit")]
impl TableRow for PathRow {
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        format!("{}, {}", self.name, self.status.word)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.stale.then_some(self.path.as_of)
    }
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        let path = &self.path;
        let moment = |at: Option<Timestamp>| {
            at.map_or(SortKey::Nothing, |at| SortKey::Number(-(at.as_second() as f64)))
        };
        match column {
            "to" => SortKey::Text(path.to.as_str()),
            "path" => SortKey::Number(f64::from(super::graph::rank(path.kind))),
            "why" => SortKey::Text(&path.why),
            "rtt" => path
                .rtt_ms
                .map_or(SortKey::Nothing, |rtt| SortKey::Number(f64::from(rtt))),
            "since" => moment(path.since),
            "handshake" => moment(path.last_handshake),
            "received" => SortKey::Number(path.received_bytes as f64),
            "sent" => SortKey::Number(path.sent_bytes as f64),
            "relay" => path.relay.as_deref().map_or(SortKey::Nothing, SortKey::Text),
            "mtu" => path
                .mtu
                .map_or(SortKey::Nothing, |mtu| SortKey::Number(f64::from(mtu))),
            _ => SortKey::Text(path.from.as_str()),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        let path = &self.path;
        match column {
            "from" => name_cell(path.from.as_str()),
            "to" => text_cell(Some(path.to.as_str())),
            "path" => status_badge(&self.status, false, self.stale),
            "why" => text_cell(Some(&path.why)),
            "rtt" => view! { <Sparkline values=self.trips.clone()/>{text_cell(path.rtt_ms.map(copy::rtt).as_deref())} }.into_any(),
            "since" => age_cell(path.since),
            "handshake" => age_cell(path.last_handshake),
            // The counters of a path that was not reported are unknown.
            "received" | "sent" if path.kind == PathKind::Unknown => text_cell(None),
            "received" => text_cell(Some(&format::disk(path.received_bytes))),
            "sent" => text_cell(Some(&format::disk(path.sent_bytes))),
            "relay" => text_cell(path.relay.as_deref()),
            "mtu" => text_cell(path.mtu.map(|mtu| mtu.to_string()).as_deref()),
            _ => ().into_any(),
        }
    }
}

type CachedRows = BTreeMap<(DeviceId, DeviceId), (Arc<Path>, bool, Arc<dyn TableRow>)>;

/// The rows of all paths, or of those that begin at one device. A row is made again only if its path changed.
fn path_rows(only: Option<DeviceId>) -> Memo<Rows> {
    let store = use_store();
    let summaries = device_summaries();
    let cache: StoredValue<CachedRows> = StoredValue::new(CachedRows::new());
    let trips: Option<RoundTrips> = use_context();
    Memo::new(move |_| {
        let summaries = summaries.get();
        let mut known = cache.try_update_value(std::mem::take).unwrap_or_default();
        let now: CachedRows = store.paths.with(|paths| {
            let wanted = paths
                .rows()
                .iter()
                .filter(|(ends, _)| only.is_none_or(|only| ends.0 == only));
            let row = |(ends, path): (&(DeviceId, DeviceId), &Arc<Path>)| {
                let stale = summaries.get(&ends.0).is_some_and(|summary| !summary.online);
                let same = known
                    .remove(ends)
                    .filter(|(old, was, _)| Arc::ptr_eq(old, path) && *was == stale);
                let make = || {
                    let trips = trips.map(|trips| trips.of(path)).unwrap_or_default();
                    let row = Arc::new(PathRow::new(path.clone(), stale, trips)) as Arc<dyn TableRow>;
                    (path.clone(), stale, row)
                };
                (*ends, same.unwrap_or_else(make))
            };
            wanted.map(row).collect()
        });
        let rows = Rows(Arc::new(now.values().map(|(_, _, row)| row.clone()).collect()));
        cache.try_update_value(|cache| *cache = now);
        rows
    })
}

/// The table of all paths, or of those that begin at `only`.
#[component]
pub(crate) fn PathsTable(only: Option<DeviceId>) -> impl IntoView {
    let store = use_store();
    store.ensure_paths();
    let table = TableState::new(&SPEC, path_rows(only).into(), outdated());
    let opened = RwSignal::new(None::<(DeviceId, DeviceId)>);
    let open = Callback::new(move |key: String| opened.set(ends_of(&key)));
    let navigate = use_navigate();
    let go = Callback::new(move |path: String| navigate(&path, Default::default()));
    let actions: RowActions = Arc::new(move |key| {
        let Some(ends) = ends_of(key) else {
            return Vec::new();
        };
        let action = |label: &str, glyph, run| RowAction {
            label: label.to_owned(),
            glyph,
            reason: None,
            run,
        };
        let explain = format!("/mesh/policy/explain?from={}&to={}", ends.0, ends.1);
        vec![
            action(
                copy::TEST,
                lucide::RADAR,
                Callback::new(move |()| opened.set(Some(ends))),
            ),
            action(
                copy::EXPLAIN,
                lucide::SHIELD_CHECK,
                Callback::new(move |()| go.run(explain.clone())),
            ),
        ]
    });
    let stage = Memo::new(move |_| {
        store.paths.with(|paths| match paths.load() {
            _ if !paths.rows().is_empty() => None,
            Load::Failed(failure) => Some(Some(failure.to_string())),
            _ => Some(None),
        })
    });
    let filled = Memo::new(move |_| store.paths.with(|paths| paths.is_filled()));
    view! {
        <div class="table-page">
            {only.map(|from| view! { <TestAll from/> })}
            {move || match stage.get() {
                None => view! { <DataTable table actions=Some(actions.clone()) on_open=Some(open)/> }.into_any(),
                Some(Some(message)) => view! { <ErrorState message on_retry=move || store.reload()/> }.into_any(),
                Some(None) if filled.get() => view! { <EmptyState glyph=lucide::WAYPOINTS title=copy::NO_PATHS text=copy::NO_PATHS_TEXT/> }.into_any(),
                Some(None) => view! { <Skeleton bones=8 sentence=copy::LOADING/> }.into_any(),
            }}
        </div>
        {move || opened.get().map(|ends| view! { <PathDialog ends on_close=move || opened.set(None)/> })}
    }
}

/// The dialog with the facts and the test of a path.
#[component]
fn PathDialog(ends: (DeviceId, DeviceId), #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let store = use_store();
    let path = Memo::new(move |_| store.paths.with(|paths| paths.rows().get(&ends).cloned()));
    let first = path.get_untracked();
    first.map(|first| {
        let title = copy::between(first.from.as_str(), first.to.as_str());
        let path = Signal::derive(move || path.get().unwrap_or_else(|| first.clone()));
        view! {
            <Dialog title on_close>
                <div class="dialog-body">
                    <PathFacts path/>
                    <PathTest from=ends.0 to=ends.1/>
                </div>
                <footer class="dialog-foot"><Button label=copy::CLOSE on_press=move || on_close.run(())/></footer>
            </Dialog>
        }
    })
}
