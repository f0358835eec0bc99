//! Several logs as one, by time.
//!
//! A piece is next when no log can have an older one: each has given a piece that is waiting, or one that is newer, or it
//! is over, away or quiet. A log that gives nothing is waited for no longer than [`Merge::new`] says, and is quiet then
//! until it gives something; what it gives too late is next at once. Pieces of one log keep their order, and pieces of one
//! line stay together unless the line's rest is waited for as long.
//!
//! Life cycle: [`Merge::handle_pieces`], [`Merge::handle_away`] and [`Merge::handle_over`] as things happen;
//! [`Merge::poll_piece`] until it gives nothing; then again after news, or when [`Merge::due`] says. Times are those since
//! any fixed moment.

use super::{LogBatch, LogPiece, LogSource};
use crate::Timestamp;
use std::{collections::VecDeque, time::Duration};

/// A log of which so many bytes wait gives no more for the moment: as much as a batch, so that reading it goes on while
/// another one is printed.
const WAITING: usize = 64 * 1024;

/// Merges logs, which are named by their numbers.
#[derive(Debug)]
pub struct Merge {
    logs: Vec<Log>,
    patience: Duration,
    /// The log and the source of which a line is not over, and since when.
    within: Option<(usize, LogSource, Duration)>,
}

#[derive(Debug, Default)]
struct Log {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The time of the newest piece that it gave.
    newest: Option<Timestamp>,
    state: State,
}

#[derive(Debug)]
struct Waiting {
    at: Option<Timestamp>,
    since: Duration,
    piece: LogPiece,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Awaited,
    /// It was waited for in vain, or can't give anything at the moment.
    Quiet,
    Over,
}

impl Merge {
    /// Merges so many logs; one that gives nothing holds back the others no longer than `patience`.
    #[must_use]
    pub fn new(logs: usize, patience: Duration) -> Self {
        Self {
            logs: std::iter::repeat_with(Log::default).take(logs).collect(),
            patience,
            within: None,
        }
    }

    /// Whether more of a log may be given: little of it waits.
    #[must_use]
    pub fn wants(&self, log: usize) -> bool {
        self.logs
            .get(log)
            .is_some_and(|log| log.state != State::Over && log.bytes < WAITING)
    }

    /// A log gives pieces.
    pub fn handle_pieces(&mut self, log: usize, pieces: Vec<LogPiece>, now: Duration) {
        let Some(log) = self.logs.get_mut(log) else {
            return;
        };
        if log.state == State::Quiet && !pieces.is_empty() {
            log.state = State::Awaited;
        }
        for piece in pieces {
            // A piece without a time belongs where the one before it is.
            let at = piece.at.or(log.newest);
            log.newest = log.newest.max(at);
            log.bytes += LogBatch::weight(&piece);
            log.waiting.push_back(Waiting {
                at,
                since: now,
                piece,
            });
        }
    }

    /// A log is away: it is not waited for until it gives something.
    pub fn handle_away(&mut self, log: usize) {
        if let Some(log) = self.logs.get_mut(log)
            && log.state == State::Awaited
        {
            log.state = State::Quiet;
        }
    }

    /// There is no more of a log.
    pub fn handle_over(&mut self, log: usize) {
        if let Some(log) = self.logs.get_mut(log) {
            log.state = State::Over;
        }
    }

    /// Whether all was given out, and no more comes.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.logs
            .iter()
            .all(|log| log.state == State::Over && log.waiting.is_empty())
    }

    /// The next piece, with the number of its log; `None` until there is news or [`Self::due`] has come.
    pub fn poll_piece(&mut self, now: Duration) -> Option<(usize, LogPiece)> {
        if let Some((log, _, since)) = self.within {
            let open = &self.logs[log];
            if !open.waiting.is_empty() {
                return self.take(log, now);
            }
            if open.state == State::Awaited && now < since + self.patience {
                return None;
            }
            self.within = None;
        }
        let (next, at, since) = self.oldest()?;
        let is_due = now >= since + self.patience;
        for log in &mut self.logs {
            if log.is_awaited_before(at) {
                if !is_due {
                    return None;
                }
                log.state = State::Quiet;
            }
        }
        self.take(next, now)
    }

    /// When [`Self::poll_piece`] gives more without news; `None` when it does not.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let since = match self.within {
            Some((log, _, since)) if self.logs[log].waiting.is_empty() => {
                // Without another piece, nothing waits for the rest of the line.
                self.oldest().map(|_| since)?
            }
            _ => self.oldest()?.2,
        };
        Some(since + self.patience)
    }

    /// The log whose piece is the oldest of those that wait, with the time of that and since when it waits.
    fn oldest(&self) -> Option<(usize, Option<Timestamp>, Duration)> {
        let first = |(number, log): (usize, &Log)| {
            let waiting = log.waiting.front()?;
            Some((number, waiting.at, waiting.since))
        };
        let all = self.logs.iter().enumerate().filter_map(first);
        all.min_by_key(|(number, at, _)| (*at, *number))
    }

    fn take(&mut self, number: usize, now: Duration) -> Option<(usize, LogPiece)> {
        let log = self.logs.get_mut(number)?;
        let piece = log.waiting.pop_front()?.piece;
        log.bytes -= LogBatch::weight(&piece);
        match self.within {
            // Another source of the same log does not end the line.
            Some((_, source, _)) if source != piece.source => {}
            _ => self.within = (!piece.ends_line).then_some((number, piece.source, now)),
        }
        Some((number, piece))
    }
}

impl Log {
    /// Whether it may still give a piece that is older.
    fn is_awaited_before(&self, at: Option<Timestamp>) -> bool {
        self.state == State::Awaited && self.waiting.is_empty() && self.newest < at
    }
}

#[cfg(test)]
mod tests;
