//! Paths between devices as rows, with both directions of each pair.

use super::on_device::device_summaries;
use crate::{
    components::{
        badge::{Status, status_badge},
        sparkline::Sparkline,
        table::{self, About, Narrow, Same, Table, TableRow, TableRows, rows_of, text_cell},
    },
    copy::mesh as copy,
    format,
    query::Key,
    store::use_store,
    urgency,
};
use flotilla_protocol::{
    Timestamp,
    id::DeviceId,
    path::{Path, PathKind},
};
use leptos::prelude::*;
use std::sync::Arc;

type Column = table::Column<PathRow>;

pub static PATHS: Table<PathRow> = Table::new(
    About {
        word: "paths",
        label: copy::PATHS,
        filter: copy::FILTER_PATHS,
        one: "path",
        many: "paths",
        sort_words: copy::TROUBLE_FIRST,
        scope: &[],
    },
    &[
        Column::text("from", copy::FROM, 6.0, |row| row.path.from.as_str())
            .fact(Key::Device, |row, fact| fact(row.path.from.as_str()))
            .ordered(2),
        Column::text("to", copy::TO, 6.0, |row| row.path.to.as_str())
            .fact(Key::Device, |row, fact| fact(row.path.to.as_str()))
            .narrow(Narrow::Below),
        Column::view(
            "path",
            copy::PATH,
            6.5,
            |row| status_badge(&row.status, false, row.stale),
            |row| urgency::of_path(row.path.kind).into(),
        )
        .facet(Key::Path, copy::PATH, copy::KINDS, |row, fact| {
            fact(copy::kind(row.path.kind));
        })
        .fixed()
        .narrow(Narrow::Status)
        .ordered(1),
        Column::text("why", copy::REASON, 11.0, |row| &row.path.why)
            .ages()
            .priority(5),
        Column::view("rtt", copy::RTT, 7.5, rtt_cell, |row| {
            row.path.rtt_ms.map(f64::from).into()
        })
        .figures()
        .live()
        .narrow(Narrow::Figure)
        .priority(4),
        Column::age("since", copy::SINCE, 5.5, |row| row.path.since).priority(3),
        Column::view(
            "received",
            copy::RECEIVED,
            5.0,
            |row| bytes_cell(row, row.path.received_bytes),
            |row| row.path.received_bytes.into(),
        )
        .figures()
        .live()
        .priority(2),
        Column::view(
            "sent",
            copy::SENT,
            4.5,
            |row| bytes_cell(row, row.path.sent_bytes),
            |row| row.path.sent_bytes.into(),
        )
        .figures()
        .live()
        .priority(1),
        Column::text("relay", copy::RELAY, 7.0, |row| {
            row.path.relay.as_deref().unwrap_or_default()
        })
        .hidden(),
        Column::age("handshake", copy::HANDSHAKE, 7.0, |row| row.path.last_handshake).hidden(),
        Column::view(
            "mtu",
            copy::MTU,
            3.5,
            |row| text_cell(row.path.mtu.map(|mtu| mtu.to_string()).as_deref()),
            |row| row.path.mtu.map(f64::from).into(),
        )
        .figures()
        .hidden(),
    ],
);

#[derive(Debug)]
pub struct PathRow {
    path: Arc<Path>,
    key: String,
    name: String,
    status: Status,
    stale: bool,
    /// The last round trips, the oldest first.
    trips: Vec<f32>,
}

impl PathRow {
    fn new(path: Arc<Path>, stale: bool, trips: Vec<f32>) -> Self {
        Self {
            key: format!("{}/{}", path.from_id, path.to_id),
            name: copy::between(path.from.as_str(), path.to.as_str()),
            status: Status::of_path(path.kind),
            stale,
            trips,
            path,
        }
    }
}

/// The ends of the path of a row's key.
#[must_use]
pub fn ends_of(key: &str) -> Option<(DeviceId, DeviceId)> {
    let (from, to) = key.split_once('/')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

impl TableRow for PathRow {
    fn table() -> &'static Table<Self> {
        &PATHS
    }
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        format!("{}, {}", self.name, self.status.word)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.stale.then_some(self.path.as_of)
    }
}

/// The rows of all paths, or of those that begin at one device. `trips` gives the last round trips of a path.
pub fn path_rows(
    only: Option<DeviceId>,
    trips: impl Fn(&Path) -> Vec<f32> + Send + Sync + 'static,
) -> TableRows<PathRow> {
    let store = use_store();
    let summaries = device_summaries();
    let sources = move || {
        let summaries = summaries.get();
        let source = |(ends, path): (&(DeviceId, DeviceId), &Arc<Path>)| {
            let stale = summaries.get(&ends.0).is_some_and(|summary| !summary.online);
            (*ends, (Same(path.clone()), stale))
        };
        store.paths.with(|paths| {
            let paths = paths.rows().iter();
            let wanted = paths.filter(|(ends, _)| only.is_none_or(|only| ends.0 == only));
            wanted.map(source).collect()
        })
    };
    rows_of(sources, move |(Same(path), stale): &(Same<Path>, bool)| {
        PathRow::new(path.clone(), *stale, trips(path))
    })
}

fn rtt_cell(row: &PathRow) -> AnyView {
    let words = text_cell(row.path.rtt_ms.map(copy::rtt).as_deref());
    view! { <Sparkline values=row.trips.clone()/>{words} }.into_any()
}

/// The counters of a path that was not reported are unknown.
fn bytes_cell(row: &PathRow, bytes: u64) -> AnyView {
    let known = (row.path.kind != PathKind::Unknown).then(|| format::disk(bytes));
    text_cell(known.as_deref())
}
