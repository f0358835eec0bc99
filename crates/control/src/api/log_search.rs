//! A search through the logs of many containers: each agent looks through its own, and what is found is passed on.
//!
//! Life cycle: which containers → on each device, some of them at a time → lines as they are found, and how far each device
//! is → the end. All of it is one future, so a caller that goes away ends the work on the devices.

use super::{caller::Asks, streams::StreamSocket};
use crate::refusal::Refusal;
use axum::response::Response;
use flotilla_link::{
    CallError,
    stream::{AgentStream, Opener, Outflow},
};
use flotilla_protocol::{
    Code, Problem,
    api::{
        LogSearch, SearchEnd, SearchEndReason, SearchItem, SearchLogs, SearchState, SearchedContainer,
        SearchedDevice, SearchedLines,
    },
    id::DeviceId,
    inventory::Container,
    log::{LogBatch, LogPiece, LogQuery, ReadLog},
    name::DeviceName,
    stream::{End, Event},
};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::{collections::BTreeMap, future::pending, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// Containers that are searched at a time on one device: an engine takes all it can get of a processor for each.
const AT_A_TIME: usize = 2;

/// Devices that are searched at a time. Each of their streams may have a quarter of a MiB under way.
const DEVICES: usize = 32;

/// The most that one search brings, in lines and in bytes: more than a person reads, and little enough for a page.
const MOST_LINES: u64 = 10_000;
const MOST_BYTES: usize = 16 << 20;

/// How long an agent may take to ask its engine for a log, and to look through the next part of it.
const ANSWER: Duration = Duration::from_secs(15);
const PART: Duration = Duration::from_secs(60);

/// Items that wait for the caller.
const QUEUE: usize = 4;

pub(super) async fn search(asks: Asks, socket: StreamSocket<SearchLogs>) -> Response {
    let opener = socket.opener();
    socket.serve(move |wanted, _silence, out| async move {
        let places = match places(&asks, &wanted) {
            Ok(places) => places,
            Err(Refusal(problem)) => return problem.into(),
        };
        let (items, found) = mpsc::channel(QUEUE);
        let search = Search {
            asks,
            opener,
            query: query(wanted),
            items,
        };
        tokio::select! {
            end = tell(found, out) => end,
            problem = search.run(places) => problem.into(),
        }
    })
}

/// What is asked of each log.
fn query(wanted: LogSearch) -> LogQuery {
    LogQuery {
        since: wanted.since,
        until: wanted.until,
        source: wanted.source,
        grep: wanted.grep,
        level: wanted.level,
        ..LogQuery::default()
    }
}

/// A device of the search, with the containers that are wanted there.
struct Place {
    device: DeviceId,
    name: DeviceName,
    /// Why it can't be asked.
    away: Option<String>,
    containers: Vec<Wanted>,
}

struct Wanted {
    number: u32,
    id: String,
    name: String,
}

/// Where it is searched.
///
/// # Errors
/// A device is named that the caller may not see, or no container is wanted.
fn places(asks: &Asks, wanted: &LogSearch) -> Result<Vec<Place>, Refusal> {
    let core = &asks.core;
    let state = core.cache.lock();
    let named = wanted
        .devices
        .iter()
        .map(|text| Ok(asks.find(&state, text)?.row.id));
    let named = named.collect::<Result<Vec<_>, Refusal>>()?;
    let scope = asks.scope();
    let mut places = BTreeMap::new();
    let mut numbers = 0..;
    for entry in state.devices_in(&scope) {
        let device = entry.row.id;
        if !named.is_empty() && !named.contains(&device) {
            continue;
        }
        let kept = entry.last_report.inventory.containers().values();
        let chosen = kept
            .map(|kept| &*kept.item)
            .filter(|item| is_named(item, &wanted.containers));
        let containers: Vec<_> = chosen
            .zip(&mut numbers)
            .map(|(Container { id, name, .. }, number)| Wanted {
                number,
                id: id.clone(),
                name: name.clone(),
            })
            .collect();
        if !containers.is_empty() {
            let name = entry.row.name.clone();
            let away = entry
                .unreachable(|at| core.clock.moment(at))
                .map(|away| away.reason);
            let place = Place {
                device,
                name: name.clone(),
                away,
                containers,
            };
            places.insert(name, place);
        }
    }
    if places.is_empty() {
        let message = "No container that you may see has such a name on such a device, so there is no log to search. Name others, or none to search all.";
        return Err(Refusal(Code::ContainerNotFound.because(message)));
    }
    Ok(places.into_values().collect())
}

/// Whether a container is one of those that are named, or all are wanted.
fn is_named(container: &Container, texts: &[String]) -> bool {
    let is_it = |text: &String| {
        container.name == *text || !text.is_empty() && container.id.starts_with(text.as_str())
    };
    texts.is_empty() || texts.iter().any(is_it)
}

/// Sends what is found, until there is no more or it is enough.
async fn tell(mut found: mpsc::Receiver<SearchItem>, mut out: Outflow<SearchLogs>) -> End<SearchEnd> {
    let over = |reason| End::Finished {
        outcome: SearchEnd { reason },
    };
    let (mut lines, mut bytes) = (0, 0);
    while let Some(item) = found.recv().await {
        if let SearchItem::Lines(more) = &item {
            lines += ended(&more.pieces);
            bytes += more.pieces.iter().map(LogBatch::weight).sum::<usize>();
        }
        if let Err(malformed) = out.send(&item).await {
            return malformed.into();
        }
        if lines >= MOST_LINES || bytes >= MOST_BYTES {
            return over(SearchEndReason::Full);
        }
    }
    over(SearchEndReason::Complete)
}

/// How many lines end in these pieces.
fn ended(pieces: &[LogPiece]) -> u64 {
    pieces.iter().map(|piece| u64::from(piece.ends_line)).sum()
}

struct Search {
    asks: Asks,
    opener: Opener,
    query: LogQuery,
    items: mpsc::Sender<SearchItem>,
}

/// Why no more is searched.
enum Stop {
    /// Of the device, for this reason.
    Away(String),
    /// Anywhere: what is wanted makes no sense.
    Refused(Problem),
}

impl Search {
    /// Searches all places; answers why that makes no sense. When all are searched, it drops the sender of items and waits
    /// for its own end.
    async fn run(self, places: Vec<Place>) -> Problem {
        let mut rest = places.into_iter();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < DEVICES
                && let Some(place) = rest.next()
            {
                running.push(self.place(place));
            }
            match running.next().await {
                Some(Ok(())) => {}
                Some(Err(problem)) => return problem,
                None => break,
            }
        }
        drop(running);
        drop(self);
        pending().await
    }

    async fn place(&self, place: Place) -> Result<(), Problem> {
        let mut progress = SearchedDevice {
            device: place.name.clone(),
            device_id: place.device,
            state: SearchState::Searching,
            containers: u32::try_from(place.containers.len()).unwrap_or(u32::MAX),
            searched: 0,
            lines: 0,
            reason: None,
        };
        let mut stop = place.away.clone().map(Stop::Away);
        if stop.is_none() {
            self.say(SearchItem::Device(progress.clone())).await;
            let mut rest = place.containers.iter();
            let mut running = FuturesUnordered::new();
            loop {
                while running.len() < AT_A_TIME
                    && let Some(container) = rest.next()
                {
                    running.push(self.container(&place, container));
                }
                let Some(found) = running.next().await else { break };
                match found {
                    Ok(lines) => {
                        progress.searched += 1;
                        progress.lines += lines;
                        if progress.searched < progress.containers {
                            self.say(SearchItem::Device(progress.clone())).await;
                        }
                    }
                    Err(why) => {
                        stop = Some(why);
                        break;
                    }
                }
            }
        }
        match stop {
            Some(Stop::Refused(problem)) => return Err(problem),
            Some(Stop::Away(reason)) => (progress.state, progress.reason) = (SearchState::Away, Some(reason)),
            None => progress.state = SearchState::Done,
        }
        self.say(SearchItem::Device(progress)).await;
        Ok(())
    }

    /// Searches one log; answers how many lines were found.
    async fn container(&self, place: &Place, container: &Wanted) -> Result<u64, Stop> {
        let mut log = match self.open(place, container).await? {
            Ok(log) => log,
            Err(problem) => return self.unread(place, container, problem).await.map(|()| 0),
        };
        let (mut lines, mut is_told) = (0, false);
        loop {
            let event = timeout(PART, log.next()).await;
            match event {
                Ok(Some(Event::Item(LogBatch { pieces, .. }))) if pieces.is_empty() => {}
                Ok(Some(Event::Item(LogBatch { pieces, .. }))) => {
                    if !is_told {
                        self.say(about(place, container, None)).await;
                        is_told = true;
                    }
                    lines += ended(&pieces);
                    let container = container.number;
                    self.say(SearchItem::Lines(SearchedLines { container, pieces }))
                        .await;
                }
                Ok(Some(Event::End(End::Finished { .. }))) => return Ok(lines),
                Ok(Some(Event::End(End::Failed { problem }))) => {
                    return self.unread(place, container, problem).await.map(|()| lines);
                }
                Ok(Some(Event::End(_)) | None) => {
                    return Err(Stop::Away(format!("The link to {} was lost.", place.name)));
                }
                Err(_) => {
                    let seconds = PART.as_secs();
                    let message = format!(
                        "The container engine of {} read nothing of this log for {seconds} s.",
                        place.name
                    );
                    return self
                        .unread(place, container, Code::NoAnswer.because(message))
                        .await
                        .map(|()| lines);
                }
            }
        }
    }

    /// Opens a log at its agent, if the caller may still see the device.
    async fn open(
        &self,
        place: &Place,
        container: &Wanted,
    ) -> Result<Result<AgentStream<ReadLog>, Problem>, Stop> {
        let core = &self.asks.core;
        let may = self
            .asks
            .find(&core.cache.lock(), &place.device.to_string())
            .map(drop);
        may.map_err(|Refusal(problem)| Stop::Away(problem.message))?;
        let away = || Stop::Away(format!("{} is offline.", place.name));
        let link = core.links.lookup(place.device).ok_or_else(away)?;
        let opened = link.open::<ReadLog>(&container.id, self.query.clone(), &self.opener, ANSWER);
        match opened.await {
            Ok(log) => Ok(Ok(log)),
            Err(CallError::Closed) => Err(away()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Says that a log can't be read on. An expression that is refused ends the whole search.
    async fn unread(&self, place: &Place, container: &Wanted, problem: Problem) -> Result<(), Stop> {
        if problem.code == Code::InvalidInput {
            return Err(Stop::Refused(problem));
        }
        self.say(about(place, container, Some(problem.message))).await;
        Ok(())
    }

    async fn say(&self, item: SearchItem) {
        // A caller that is gone drops this search, too.
        let _ = self.items.send(item).await;
    }
}

fn about(place: &Place, container: &Wanted, reason: Option<String>) -> SearchItem {
    SearchItem::Container(SearchedContainer {
        number: container.number,
        device: place.name.clone(),
        device_id: place.device,
        id: container.id.clone(),
        name: container.name.clone(),
        reason,
    })
}
