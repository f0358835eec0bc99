//! What a container wrote, as its engine keeps it: through the engine's API, whatever its log driver.
//!
//! - `split`: the engine's answer in pieces. `place`: where a reader is, so that another one goes on there. `filter`: the
//!   pieces of lines that are wanted; `judge`: which those are; `level`: how much a line matters;
//!   `recent`: where a range begins. (All pure.)
//!
//! A [`LogReader`] asks the engine, and asks again when a container that is followed has started anew. It keeps a few
//! hundred KiB at most, whatever the container writes, and reads on only as fast as its own reader takes.

mod filter;
mod judge;
mod level;
mod place;
mod recent;
mod split;

use crate::{
    action::lookup,
    connection::{Connection, is_not_found},
    engine_errors::explain,
    follow::Engine,
    verbatim,
};
use bollard::errors::Error;
use bytes::Bytes;
use filter::LineFilter;
use flotilla_protocol::{
    Code, Problem, Timestamp,
    log::{LogBatch, LogEnd, LogEndReason, LogLevel, LogPiece, LogPlace, LogQuery, LogSource},
    open::Open as _,
    stream::{End, Event},
};
use futures_util::{StreamExt as _, stream::BoxStream};
use place::Position;
use recent::{Recent, Verdict};
use split::Splitter;
use std::{fmt, fmt::Write as _, mem::take, pin::Pin, time::Duration};
use tokio::{
    task::yield_now,
    time::{Sleep, sleep},
};

/// A batch is full with so many bytes: enough that its head costs little, and few enough that none waits long.
const BATCH: usize = 32 * 1024;

/// After so many bytes of which nothing is wanted, a batch without pieces moves the place.
const EMPTY_BATCH: usize = 8 << 20;

/// After so many bytes of which little is wanted, that little goes out: a piece keeps the room alive in which it was read.
const SPARSE_BATCH: usize = 8 * BATCH;

/// How long pieces are gathered: an engine sends line by line, and a frame of the link for each would cost more than all
/// else. No person sees a delay of this length.
const GATHERING: Duration = Duration::from_millis(5);

/// After so many bytes, other work of this program has its turn: an expression may have taken long for them.
const TURN: usize = BATCH / 2;

/// The pause before a container that is followed is looked at again, and how often it may be found stopped: one that is
/// restarted is stopped for a moment.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const LOOKS: u32 = 6;

/// What a reader has next.
pub type LogEvent = Event<LogBatch, LogEnd>;

/// Reads one log.
pub struct LogReader {
    connection: Connection,
    /// The container's id.
    id: String,
    has_terminal: bool,
    query: LogQuery,
    /// What the engine answers; `None` when all of it was read.
    answer: Option<BoxStream<'static, Result<Bytes, Error>>>,
    splitter: Splitter,
    position: Position,
    /// How the beginning of the range is found; `None` where it has none.
    recent: Option<Recent>,
    filter: LineFilter,
    /// The next batch, and its bytes.
    pieces: Vec<LogPiece>,
    weight: usize,
    /// Bytes of the answer since the last batch.
    read: usize,
    /// Whether the next batch is due, also without pieces.
    is_due: bool,
    /// The end of gathering pieces for it, once the engine was waited for.
    gathered: Option<Pin<Box<Sleep>>>,
    /// Why no more can be read. What was read before that is sent first.
    failed: Option<Problem>,
}

impl Engine {
    /// Reads the log of a container, named by id.
    ///
    /// # Errors
    /// There is no such container, the engine can't be asked, or what is wanted is no expression.
    pub async fn log(&self, id: &str, mut query: LogQuery) -> Result<LogReader, Problem> {
        refuse_unknown(&query)?;
        let connection = self.ready().await?;
        // Who wants nothing of what there is goes on from now, whatever happens before the first new piece.
        if let (None, Some(0), Some(now)) = (query.after, query.tail, connection.engines_clock()) {
            query.after = Some(LogPlace { from: now, pieces: 0 });
        }
        let filter = LineFilter::new(&query)?;
        let id = lookup(&connection, id).await?.container.id;
        let described = verbatim::inspect(&connection.patient(), &id).await;
        let described = described.map_err(|error| explain(error, &id))?;
        let has_terminal = described["Config"]["Tty"] == true;
        let mut reader = LogReader {
            connection,
            id,
            has_terminal,
            answer: None,
            splitter: Splitter::new(has_terminal),
            position: Position::default(),
            recent: Recent::new(&query),
            filter,
            pieces: Vec::new(),
            weight: 0,
            read: 0,
            is_due: query.after.is_some(),
            gathered: None,
            failed: None,
            query,
        };
        reader.ask(Position::new(reader.query.after));
        Ok(reader)
    }
}

impl LogReader {
    /// Waits for news; the last is why there are no more. Cancel safe.
    pub async fn next(&mut self) -> LogEvent {
        loop {
            if self.failed.is_none() {
                self.failed = self.collect().await.err();
            }
            if let Some(batch) = self.take_batch() {
                return Event::Item(batch);
            }
            if let Some(problem) = self.failed.take() {
                return Event::End(problem.into());
            }
            if self.answer.is_none()
                && let Some(end) = self.ask_again().await
            {
                return Event::End(end);
            }
        }
    }

    /// Asks the engine for the log from a position on.
    fn ask(&mut self, position: Position) {
        let lines = self.recent.as_mut().and_then(Recent::begin);
        let query = ask(&self.query, &position, lines);
        self.splitter = Splitter::new(self.has_terminal);
        self.position = position;
        self.answer = Some(verbatim::log(&self.connection.endless(), &self.id, &query).boxed());
    }

    /// Reads until a batch is full, nothing more is there at the moment, or all was read.
    async fn collect(&mut self) -> Result<(), Problem> {
        while self.weight < BATCH && !self.is_due {
            if let Some(piece) = self.filter.next() {
                self.weight += LogBatch::weight(&piece);
                self.pieces.push(piece);
                continue;
            }
            let is_last = self.answer.is_none();
            let piece = self.splitter.next(is_last);
            let piece = piece.map_err(|error| {
                Code::EngineRefused.because(format!(
                    "The container engine gives no more of this log: {error}."
                ))
            })?;
            if let Some(piece) = piece {
                self.pass(piece, is_last);
                continue;
            }
            let Some(answer) = &mut self.answer else {
                return Ok(());
            };
            let chunk = if self.pieces.is_empty() {
                answer.next().await
            } else {
                let gathered = self.gathered.get_or_insert_with(|| Box::pin(sleep(GATHERING)));
                tokio::select! {
                    biased;
                    chunk = answer.next() => chunk,
                    () = gathered => return Ok(()),
                }
            };
            match chunk {
                Some(Ok(chunk)) => {
                    let turn = self.read / TURN;
                    self.read += chunk.len();
                    self.is_due = self.read >= self.longest();
                    self.splitter.push(&chunk);
                    if self.read / TURN != turn {
                        yield_now().await;
                    }
                }
                Some(Err(error)) => return Err(refused(error, &self.id)),
                None => self.answer = None,
            }
        }
        Ok(())
    }

    /// How many bytes may be read for one batch.
    fn longest(&self) -> usize {
        if self.pieces.is_empty() {
            EMPTY_BATCH
        } else {
            SPARSE_BATCH
        }
    }

    /// Takes a piece that the engine gives.
    fn pass(&mut self, piece: LogPiece, is_last: bool) {
        if let Some(recent) = self.recent.as_mut().filter(|_| self.position.place().is_none()) {
            match recent.pass(&piece) {
                Verdict::Keep => {}
                Verdict::Skip => return self.filter.learn(&piece),
                Verdict::AskAgain => return self.ask(Position::default()),
            }
        }
        // What a terminal shows at the end without an end of its line is one piece with what comes next, when the
        // engine is asked again.
        let is_counted = !(is_last && self.has_terminal && !piece.ends_line);
        let is_new = if is_counted {
            self.position.pass(&piece)
        } else {
            self.position.is_new(&piece)
        };
        if !is_new {
            self.filter.learn(&piece);
        } else {
            let beginning = LogPlace {
                from: piece.at.unwrap_or(Timestamp::UNIX_EPOCH),
                pieces: 0,
            };
            let place = self.position.place().unwrap_or(beginning);
            self.filter.push(piece, place);
        }
    }

    /// The next batch; `None` where there is nothing to tell.
    fn take_batch(&mut self) -> Option<LogBatch> {
        if self.pieces.is_empty() && !self.is_due {
            return None;
        }
        self.read = 0;
        self.weight = 0;
        self.is_due = false;
        self.gathered = None;
        let place = self.filter.place()?;
        Some(LogBatch {
            place,
            pieces: take(&mut self.pieces),
        })
    }

    /// After the engine's whole answer: asks for more if there may be some. The end, if there may not.
    async fn ask_again(&mut self) -> Option<End<LogEnd>> {
        if self.filter.finish() {
            return None;
        }
        let over = |reason| {
            Some(End::Finished {
                outcome: LogEnd { reason },
            })
        };
        if !self.query.follow || self.query.until.is_some() {
            return over(LogEndReason::Complete);
        }
        let mut looks = 0;
        loop {
            sleep(LOOK_AGAIN).await;
            let state = match verbatim::inspect(&self.connection.patient(), &self.id).await {
                Ok(mut described) => described["State"].take(),
                Err(error) if is_not_found(&error) => return over(LogEndReason::Removed),
                Err(error) => return Some(refused(error, &self.id).into()),
            };
            if state["Restarting"] == true {
                continue;
            }
            if state["Running"] == true {
                // All that there was is read.
                self.query.tail = None;
                self.ask(self.position.again());
                return None;
            }
            looks += 1;
            if looks == LOOKS {
                return over(LogEndReason::Stopped);
            }
        }
    }
}

/// Refuses what only newer agents know.
fn refuse_unknown(query: &LogQuery) -> Result<(), Problem> {
    if query.source.is_some_and(|source| !source.is_known()) {
        return Err(Code::InvalidInput.because(
            "This agent knows no such source of a log. Ask for stdout, stderr or both, or update the agent.",
        ));
    }
    if query.level.is_some_and(|level| !level.is_known()) {
        return Err(Code::InvalidInput.because(format!(
            "This agent knows no such level. Ask for one of {}, or update the agent.",
            LogLevel::CHOICES
        )));
    }
    Ok(())
}

/// What the engine is asked for.
fn ask(query: &LogQuery, position: &Position, recent: Option<u32>) -> String {
    let wants = |source| query.source.is_none_or(|wanted| wanted == source);
    let mut words = format!(
        "timestamps=1&follow={}&stdout={}&stderr={}",
        query.follow,
        wants(LogSource::Stdout),
        wants(LogSource::Stderr)
    );
    let mut add = |word: &str, at: Timestamp| {
        let at = at.max(Timestamp::UNIX_EPOCH);
        // Writing to a string does not fail.
        let _ = write!(words, "&{word}={}.{:09}", at.as_second(), at.subsec_nanosecond());
    };
    let range = query.since.filter(|_| recent.is_none());
    if let Some(since) = position.place().map(place::begin).or(range) {
        add("since", since);
    }
    if let Some(until) = query.until {
        add("until", until);
    }
    if let (None, Some(tail)) = (position.place(), recent.or(query.tail)) {
        let _ = write!(words, "&tail={tail}");
    }
    words
}

fn refused(error: Error, id: &str) -> Problem {
    let text = error.to_string();
    if text.contains("does not support reading") {
        return Code::EngineRefused.because(
            "The logging driver of this container keeps nothing that can be read. Create it again with one that does: local, json-file or journald.",
        );
    }
    explain(error, id).into()
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogReader")
            .field("id", &self.id)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
