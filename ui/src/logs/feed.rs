//! The log of one container, read for as long as a page shows it.
//!
//! Life cycle: reading → lost, from where it goes on by itself → reading … → over or refused. What is read is told once a
//! frame, however much it is; a hidden tab has no frames, and keeps the newest lines all the same.

use super::{choice::LogChoice, lines::LogLines};
use crate::{
    clock,
    copy::logs as copy,
    data::stream::{self, Heard, OpenStream},
    format,
};
use flotilla_protocol::{
    Code, Timestamp,
    api::{LogOf, Row, WatchLog},
    inventory::Container,
    log::{LogBatch, LogEnd, LogEndReason, LogQuery},
    stream::End,
};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use std::time::Duration;

/// The longest pause before a log that was lost is opened again, in seconds: a link is made anew within a few.
const LONGEST_PAUSE: u64 = 8;

/// How long somebody looks at one container before its newest lines are read.
const MOMENT: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedState {
    /// It was asked for, and nothing has come.
    Opening,
    Reading,
    /// A connection is gone since then. It goes on by itself.
    Lost {
        since: Timestamp,
        why: String,
    },
    Over(LogEndReason),
    /// Why it cannot be read.
    Refused(String),
}

/// The container whose log it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSubject {
    pub of: LogOf,
    /// Its name and its device's, for people.
    pub name: String,
    pub device: String,
}

impl LogSubject {
    #[must_use]
    pub fn of(row: &Row<Container>) -> Self {
        Self {
            of: LogOf {
                device: row.device_id.to_string(),
                container: row.item.id.clone(),
            },
            name: row.item.name.clone(),
            device: row.device.to_string(),
        }
    }
}

/// A handle: copies are of the same log.
#[derive(Debug, Clone, Copy)]
pub struct LogFeed {
    pub state: RwSignal<FeedState>,
    /// Notifies when there is something to show, at most once a frame.
    pub changed: RwSignal<()>,
    reading: StoredValue<Reading, LocalStorage>,
}

#[derive(Debug)]
struct Reading {
    subject: LogSubject,
    lines: LogLines,
    stream: Option<OpenStream>,
    /// What goes on where the log ended.
    again: Option<LogQuery>,
    /// The stream goes on from a place, and so begins with where it is.
    has_place: bool,
    /// How often it was opened in vain since something was read.
    in_vain: u32,
    /// The note about a connection that is gone.
    note: Option<u64>,
    retry: Option<TimeoutHandle>,
    is_told_soon: bool,
}

impl LogFeed {
    /// Begins to read. The reading ends with the owner of this.
    #[must_use]
    pub fn open(subject: LogSubject, choice: &LogChoice) -> Self {
        let feed = Self::new(subject, LogLines::default());
        feed.ask(choice.query(clock::now()));
        feed
    }

    /// Reads the newest lines in a moment, and keeps so many: for who may look at something else before that.
    #[must_use]
    pub fn newest(subject: LogSubject, lines: u32) -> Self {
        let feed = Self::new(subject, LogLines::of_newest(lines as usize));
        feed.ask_in(MOMENT, LogChoice::newest(lines).query(clock::now()));
        feed
    }

    fn new(subject: LogSubject, lines: LogLines) -> Self {
        let feed = Self {
            state: RwSignal::new(FeedState::Opening),
            changed: RwSignal::new(()),
            reading: StoredValue::new_local(Reading {
                subject,
                lines,
                stream: None,
                again: None,
                has_place: false,
                in_vain: 0,
                note: None,
                retry: None,
                is_told_soon: false,
            }),
        };
        on_cleanup(move || {
            feed.change(Reading::stop);
        });
        feed
    }

    /// Begins anew with another choice.
    pub fn choose(self, choice: &LogChoice) {
        self.change(|reading| {
            reading.stop();
            reading.lines.clear();
            reading.in_vain = 0;
            reading.note = None;
        });
        self.state.set(FeedState::Opening);
        self.changed.set(());
        self.ask(choice.query(clock::now()));
    }

    /// Goes on where the log ended, as after a new start of its container.
    pub fn go_on(self) {
        if let Some(query) = self.change(|reading| reading.again.take()).flatten() {
            self.ask(query);
        }
    }

    /// The lines, for as long as the feed is there.
    pub fn with_lines<T>(self, read: impl FnOnce(&mut LogLines) -> T) -> Option<T> {
        self.change(|reading| read(&mut reading.lines))
    }

    fn change<T>(self, change: impl FnOnce(&mut Reading) -> T) -> Option<T> {
        self.reading.try_update_value(change)
    }

    fn ask(self, query: LogQuery) {
        let heard = move |heard| match heard {
            Heard::Beat => self.beat(),
            Heard::Item(batch) => self.take(&batch),
            Heard::End { end, again } => self.end(end, again),
        };
        let opened = self.change(|reading| {
            reading.retry = None;
            reading.again = None;
            reading.has_place = query.after.is_some();
            reading.stream = stream::open::<WatchLog>(&reading.subject.of, query.clone(), heard);
            reading.stream.is_some()
        });
        if opened == Some(false) {
            self.end(End::LinkLost, query);
        }
    }

    fn beat(self) {
        // A device that is away has a stream that beats, too, until control says that it is.
        if self.change(|reading| reading.has_place) == Some(false) {
            self.be_reading();
        }
    }

    fn take(self, batch: &LogBatch) {
        self.be_reading();
        self.change(|reading| {
            reading.in_vain = 0;
            batch.pieces.iter().for_each(|piece| reading.lines.push(piece));
        });
        self.tell_soon();
    }

    fn be_reading(self) {
        let was = self.state.try_get_untracked();
        if let Some(FeedState::Lost { since, .. }) = &was {
            let words = copy::resumed(&time(*since), &time(clock::now()));
            self.change(|reading| {
                if let Some(note) = reading.note.take() {
                    reading.lines.change_note(note, words);
                }
            });
            self.tell_soon();
        }
        if was.is_some_and(|was| was != FeedState::Reading) {
            self.state.set(FeedState::Reading);
        }
    }

    fn end(self, end: End<LogEnd>, again: LogQuery) {
        match end {
            End::Finished { outcome } => {
                self.change(|reading| {
                    reading.again = Some(again);
                    if let Some(words) = copy::over(&reading.subject.name, outcome.reason) {
                        reading.lines.note(words);
                    }
                });
                self.state.set(FeedState::Over(outcome.reason));
                self.tell_soon();
            }
            end if end.can_go_on() || is_away(&end) => self.lose(&end, again),
            End::Failed { problem } => self.state.set(FeedState::Refused(problem.message)),
            end => self.state.set(FeedState::Refused(end.to_string())),
        }
    }

    fn lose(self, end: &End<LogEnd>, again: LogQuery) {
        let now = clock::now();
        let pause = self.change(|reading| {
            let was_read = again.after.is_some();
            if was_read && reading.note.is_none() {
                reading.note = Some(reading.lines.note(copy::lost(&time(now))));
            }
            reading.in_vain += 1;
            (1_u64 << reading.in_vain.min(6) >> 1).min(LONGEST_PAUSE)
        });
        let Some(pause) = pause else { return };
        self.state.update(|state| {
            let since = match state {
                FeedState::Lost { since, .. } => *since,
                _ => now,
            };
            let why = end.to_string();
            *state = FeedState::Lost { since, why };
        });
        self.tell_soon();
        self.ask_in(Duration::from_secs(pause), again);
    }

    fn ask_in(self, pause: Duration, query: LogQuery) {
        let handle = set_timeout_with_handle(move || self.ask(query), pause).ok();
        self.change(|reading| reading.retry = handle);
    }

    fn tell_soon(self) {
        let is_first = self.change(|reading| !std::mem::replace(&mut reading.is_told_soon, true));
        if is_first == Some(true) {
            request_animation_frame(move || {
                if self.change(|reading| reading.is_told_soon = false).is_some() {
                    self.changed.set(());
                }
            });
        }
    }
}

impl Reading {
    fn stop(&mut self) {
        self.stream = None;
        if let Some(retry) = self.retry.take() {
            retry.clear();
        }
    }
}

/// Whether the device or its engine may be back soon.
fn is_away(end: &End<LogEnd>) -> bool {
    let away = [Code::DeviceOffline, Code::NoAnswer, Code::EngineUnavailable];
    matches!(end, End::Failed { problem } if away.contains(&problem.code))
}

/// The time of day to the second.
fn time(moment: Timestamp) -> String {
    let told = format::moment(moment);
    told.split_once(' ')
        .map_or(told.clone(), |(_, time)| time.to_owned())
}
