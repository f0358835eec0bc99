//! `logs --search`: lines in the logs of many containers, put together by time.

use crate::{
    args::Logs,
    failure::Failure,
    out::{self, LogPrinter},
};
use flotilla_client::Client;
use flotilla_protocol::{
    Code, Timestamp,
    api::{
        LogSearch, SearchEnd, SearchEndReason, SearchItem, SearchLogs, SearchState, SearchedContainer,
        SearchedLines, UnreachableDevice,
    },
    log::{LogPiece, LogSource},
    name::DeviceName,
    stream::{End, Event},
    text::shown,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest name in front of a line, in characters.
const NAME_CHARS: usize = 60;

pub(super) async fn run(client: &Client, logs: &Logs, expression: &str) -> Result<(), Failure> {
    let wanted = LogSearch {
        grep: Some(expression.to_owned()),
        ..logs.search_query()
    };
    let mut search = client.open::<SearchLogs>(&(), wanted).await?;
    let mut found = Found::default();
    let end = loop {
        match search.next().await {
            Some(Event::Item(item)) => found.take(item),
            Some(Event::End(end)) => break end,
            None => break End::LinkLost,
        }
    };
    let SearchEnd { reason } = match end {
        End::Finished { outcome } => outcome,
        End::Failed { problem } => return Err(Failure::Call(problem.into())),
        end => return Err(Failure::Call(Code::Unavailable.because(end.to_string()).into())),
    };
    if logs.json {
        out::json(&found.list())?;
    } else {
        found.print(logs)?;
        found.notes.iter().for_each(|note| out::note(note));
        found
            .away
            .iter()
            .for_each(|away| out::note(&format!("{} What it has was not all searched.", away.reason)));
    }
    if reason == SearchEndReason::Full {
        out::note("More was found than is shown. Search for less, in fewer containers or in a shorter time.");
    }
    Ok(())
}

/// What was found so far. Control bounds how much that is.
#[derive(Default)]
struct Found {
    containers: BTreeMap<u32, SearchedContainer>,
    lines: Vec<Line>,
    /// The lines that are not over, as their places among the lines.
    open: BTreeMap<(u32, LogSource), usize>,
    /// Containers that were not read.
    notes: Vec<String>,
    away: Vec<UnreachableDevice>,
}

/// A line of a container, in the pieces in which it came.
struct Line {
    container: u32,
    pieces: Vec<LogPiece>,
}

impl Line {
    fn at(&self) -> Option<Timestamp> {
        self.pieces.first()?.at
    }
}

impl Found {
    fn take(&mut self, item: SearchItem) {
        match item {
            SearchItem::Lines(SearchedLines { container, pieces }) => {
                pieces.into_iter().for_each(|piece| self.add(container, piece));
            }
            SearchItem::Container(container) => {
                if let Some(reason) = &container.reason {
                    self.notes
                        .push(format!("{}/{}: {reason}", container.device, container.name));
                }
                self.containers.insert(container.number, container);
            }
            SearchItem::Device(device) if device.state == SearchState::Away => {
                let reason = device
                    .reason
                    .unwrap_or_else(|| format!("{} is away.", device.device));
                let device = device.device;
                self.away.push(UnreachableDevice { device, reason });
            }
            SearchItem::Device(_) => {}
        }
    }

    fn add(&mut self, container: u32, piece: LogPiece) {
        let key = (container, piece.source);
        let ends_line = piece.ends_line;
        let line = match self.open.remove(&key) {
            Some(line) => {
                self.lines[line].pieces.push(piece);
                line
            }
            None => {
                let pieces = vec![piece];
                self.lines.push(Line { container, pieces });
                self.lines.len() - 1
            }
        };
        if !ends_line {
            self.open.insert(key, line);
        }
    }

    /// All lines by their time; those of one container keep their order.
    fn sort(&mut self) {
        self.lines.sort_by_key(Line::at);
    }

    fn print(&mut self, logs: &Logs) -> Result<(), Failure> {
        self.sort();
        let name = |container: &SearchedContainer| {
            shown(&format!("{}/{}", container.device, container.name), NAME_CHARS)
        };
        let names: BTreeMap<_, _> = self
            .containers
            .iter()
            .map(|(number, container)| (*number, name(container)))
            .collect();
        let lined: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| names.get(&line.container))
            .collect();
        let width = lined
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or_default();
        let last = names.keys().last().map_or(0, |last| last + 1);
        let label = |number: u32| names.get(&number).map(|name| format!("{name:<width$} | "));
        let labels = (0..last)
            .map(|number| label(number).unwrap_or_default())
            .collect();
        let mut printer = LogPrinter::new(logs.raw, logs.timestamps, labels);
        for line in &self.lines {
            for piece in &line.pieces {
                printer.print(line.container as usize, piece)?;
            }
        }
        Ok(printer.flush()?)
    }

    fn list(mut self) -> FoundList {
        self.sort();
        let containers = &self.containers;
        let items = self.lines.iter().filter_map(|line| {
            let container = containers.get(&line.container)?;
            let bytes: Vec<u8> = line
                .pieces
                .iter()
                .flat_map(|piece| piece.bytes.iter().copied())
                .collect();
            Some(FoundLine {
                device: container.device.clone(),
                container: container.name.clone(),
                container_id: container.id.clone(),
                source: line.pieces.first()?.source,
                line: String::from_utf8_lossy(&bytes).into_owned(),
                as_of: line.at(),
            })
        });
        FoundList {
            items: items.collect(),
            unreachable_devices: self.away,
        }
    }
}

#[derive(Serialize)]
struct FoundList {
    items: Vec<FoundLine>,
    unreachable_devices: Vec<UnreachableDevice>,
}

#[derive(Serialize)]
struct FoundLine {
    device: DeviceName,
    container: String,
    container_id: String,
    source: LogSource,
    /// What is no text is replaced.
    line: String,
    /// When it was written.
    as_of: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(second: i64, text: &'static str, ends_line: bool) -> LogPiece {
        LogPiece {
            at: Timestamp::from_second(second).ok(),
            source: LogSource::Stdout,
            ends_line,
            bytes: text.into(),
        }
    }

    fn container(number: u32, name: &str, reason: Option<&str>) -> SearchItem {
        SearchItem::Container(SearchedContainer {
            number,
            device: "nas".parse().unwrap(),
            device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            id: name.to_owned(),
            name: name.to_owned(),
            reason: reason.map(str::to_owned),
        })
    }

    #[test]
    fn lines_are_put_together_by_time_and_stay_whole() {
        let mut found = Found::default();
        let mut lines =
            |container, pieces| found.take(SearchItem::Lines(SearchedLines { container, pieces }));
        lines(1, vec![piece(10, "b ten", true), piece(20, "b twen", false)]);
        lines(4, vec![piece(15, "a", true), piece(20, "a twenty", true)]);
        lines(1, vec![piece(21, "ty", true)]);
        found.take(container(1, "b", None));
        found.take(container(4, "a", None));
        found.take(container(5, "c", Some("It keeps nothing.")));
        assert_eq!(found.notes, ["nas/c: It keeps nothing."]);
        let list = found.list().items;
        let lines: Vec<_> = list
            .iter()
            .map(|line| (line.container.as_str(), line.line.as_str()))
            .collect();
        assert_eq!(
            lines,
            [("b", "b ten"), ("a", "a"), ("b", "b twenty"), ("a", "a twenty")]
        );
    }
}
