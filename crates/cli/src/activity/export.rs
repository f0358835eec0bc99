//! `flotilla activity --export`: the whole log, newest first. It is read page by page, and no more than a page is in
//! memory.

use crate::{
    args::ExportFormat,
    failure::Failure,
    out::{self, JsonArray, Lines},
};
use flotilla_client::Client;
use flotilla_protocol::{
    activity::{Activity, Actor},
    api::ListActivity,
    text::shown,
};
use serde::Serialize;
use std::io;

/// Entries that are asked for at once: as many as control gives.
const PAGE: u32 = 500;

const COLUMNS: [&str; 10] = [
    "id",
    "at",
    "actor",
    "name",
    "action",
    "target",
    "device",
    "device_id",
    "succeeded",
    "details",
];

/// Characters with which a spreadsheet begins a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

pub(crate) async fn run(client: &Client, format: ExportFormat) -> Result<(), Failure> {
    let fetch = async |before| {
        let limit = Some(PAGE);
        let page = client.send(&ListActivity { before, limit }).await?;
        Ok(page.items)
    };
    match format {
        ExportFormat::Csv => {
            out::print(&csv([COLUMNS.map(str::to_owned)])?)?;
            each_page(fetch, |page| out::print(&csv(page.iter().map(row))?)).await
        }
        ExportFormat::Json => {
            let mut array = JsonArray::default();
            each_page(fetch, |page| page.iter().try_for_each(|entry| array.push(entry))).await?;
            Ok(array.finish()?)
        }
    }
}

/// Prints each page, until there is none: `fetch` is given the number of the last entry before the page.
async fn each_page(
    fetch: impl AsyncFn(Option<i64>) -> Result<Vec<Activity>, Failure>,
    mut print: impl FnMut(&[Activity]) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut before = None;
    loop {
        let page = fetch(before).await?;
        let Some(last) = page.last() else { return Ok(()) };
        print(&page)?;
        before = Some(last.id);
    }
}

fn csv(rows: impl IntoIterator<Item = [String; COLUMNS.len()]>) -> io::Result<Lines> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| cell_of(cell)))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    let mut lines = Lines::default();
    lines.push_text(&String::from_utf8_lossy(&bytes));
    Ok(lines)
}

/// A text as one cell: in one line, and never as a formula, since others than the owner write parts of the log.
fn cell_of(text: &str) -> String {
    let shown = shown(text, usize::MAX);
    if shown.starts_with(FORMULA) {
        format!("'{shown}")
    } else {
        shown
    }
}

fn row(entry: &Activity) -> [String; COLUMNS.len()] {
    let (actor, name) = actor(&entry.actor);
    [
        entry.id.to_string(),
        entry.at.to_string(),
        actor.to_owned(),
        name.to_owned(),
        word(&entry.action),
        entry.target.clone().unwrap_or_default(),
        entry.device.clone().unwrap_or_default(),
        entry.device_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.succeeded.to_string(),
        entry.details.clone(),
    ]
}

/// The kind of an actor, and its name or address.
fn actor(actor: &Actor) -> (&'static str, &str) {
    match actor {
        Actor::Owner => ("owner", ""),
        Actor::Token { name } => ("token", name),
        Actor::Device { name } => ("device", name),
        Actor::Stranger { address } => ("stranger", address),
        Actor::Control => ("control", ""),
        Actor::Unknown => ("unknown", ""),
    }
}

/// A word of the API.
fn word(value: &impl Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::cell::RefCell;

    fn entry(id: i64, target: &str) -> Activity {
        let entry = json!({
            "id": id, "at": "2026-01-02T07:04:00Z", "actor": {"kind": "device", "name": "nas"},
            "action": "container_stopped", "target": target, "device": "nas", "succeeded": false,
            "details": "It said \"no\", twice.",
        });
        serde_json::from_value(entry).unwrap()
    }

    #[tokio::test]
    async fn a_log_of_many_pages_is_told_once_and_in_order() {
        const ENTRIES: i64 = 1_203;
        let longest = RefCell::new(0);
        // Entries are written meanwhile, and old ones go.
        let fetch = async |before: Option<i64>| {
            let newest = before.map_or(ENTRIES, |before| before - 1);
            let page = (3..=newest).rev().take(PAGE as usize).map(|id| entry(id, "web"));
            Ok(page.collect())
        };
        let mut ids = Vec::new();
        let print = |page: &[Activity]| {
            longest.replace_with(|longest| page.len().max(*longest));
            ids.extend(page.iter().map(|entry| entry.id));
            Ok(())
        };
        each_page(fetch, print).await.unwrap();
        assert_eq!(ids, (3..=ENTRIES).rev().collect::<Vec<_>>());
        assert_eq!(longest.into_inner(), 500);
    }

    #[tokio::test]
    async fn a_log_that_cannot_be_read_to_its_end_fails() {
        let fetch = async |before: Option<i64>| match before {
            None => Ok(vec![entry(9, "web")]),
            Some(_) => Err(io::Error::other("control is gone").into()),
        };
        assert!(each_page(fetch, |_| Ok(())).await.is_err());
    }

    #[test]
    fn whatever_a_device_calls_its_things_each_entry_is_one_line_and_no_formula() {
        let hostile = [
            "=1+1",
            "-2",
            "@SUM(A1)",
            "+3",
            "a,b",
            "two\nlines \u{1b}[2J\u{202e}",
        ];
        let rows = hostile.map(|target| row(&entry(7, target)));
        let all = [COLUMNS.map(str::to_owned)].into_iter().chain(rows);
        insta::assert_snapshot!(csv(all).unwrap(), @r#"
        id,at,actor,name,action,target,device,device_id,succeeded,details
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,'=1+1,nas,,false,"It said ""no"", twice."
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,'-2,nas,,false,"It said ""no"", twice."
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,'@SUM(A1),nas,,false,"It said ""no"", twice."
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,'+3,nas,,false,"It said ""no"", twice."
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,"a,b",nas,,false,"It said ""no"", twice."
        7,2026-01-02T07:04:00Z,device,nas,container_stopped,two\nlines \u{1b}[2J\u{202e},nas,,false,"It said ""no"", twice."
        "#);
    }
}
