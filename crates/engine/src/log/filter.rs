//! Which lines of a log are wanted.
//!
//! A line is looked at when it is over, or has [`JUDGED`] bytes. What comes after it waits until then, so that pieces keep
//! their order. It waits no longer than [`WAITING`] bytes: then the first line is judged by what there is of it.

use super::judge::{Judge, index};
use flotilla_protocol::{
    Problem,
    log::{JUDGED, LogPiece, LogPlace, LogQuery, LogSource},
};
use std::{collections::VecDeque, mem::size_of};

/// Bytes that wait at most, with those that each piece takes by itself.
const WAITING: usize = 4 * JUDGED;

/// Passes on the pieces of lines that are wanted.
#[derive(Debug)]
pub(super) struct LineFilter {
    /// Both, when it is `None`.
    source: Option<LogSource>,
    judge: Judge,
    /// The lines that are not over, by their source.
    open: [Line; 2],
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Of which sources a line that was read before is not over.
    known: [bool; 2],
    /// Of which sources a line was passed on or left out in part.
    within: [bool; 2],
    /// Behind the last piece that was passed on or left out.
    last: Option<LogPlace>,
    /// Where a reader goes on. It stays behind while a line is open that was judged: who went on within the line would
    /// not know how.
    place: Option<LogPlace>,
}

#[derive(Debug, Default)]
struct Line {
    /// What is looked at.
    beginning: Vec<u8>,
    /// Whether it is wanted, once that is known.
    is_wanted: Option<bool>,
    /// How many of its pieces wait for that.
    undecided: usize,
}

#[derive(Debug)]
struct Waiting {
    piece: LogPiece,
    place: LogPlace,
    is_wanted: Option<bool>,
}

impl LineFilter {
    /// # Errors
    /// The expression is none, or too large.
    pub(super) fn new(query: &LogQuery) -> Result<Self, Problem> {
        Ok(Self {
            source: query.source,
            judge: Judge::new(query)?,
            open: Default::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            known: [false; 2],
            within: [false; 2],
            last: None,
            place: query.after,
        })
    }

    /// Takes notice of a piece that was read before.
    pub(super) fn learn(&mut self, piece: &LogPiece) {
        let is_within = &mut self.known[index(piece.source)];
        if !*is_within {
            self.judge.learn(piece.source, &piece.bytes);
        }
        *is_within = !piece.ends_line;
    }

    /// Takes a piece, and the place behind it.
    pub(super) fn push(&mut self, piece: LogPiece, place: LogPlace) {
        let before = LogPlace {
            pieces: place.pieces.saturating_sub(1),
            ..place
        };
        self.place.get_or_insert(before);
        let is_wanted = if self.source.is_some_and(|source| source != piece.source) {
            Some(false)
        } else if self.judge.looks() {
            let line = &mut self.open[index(piece.source)];
            let is_wanted = line.judge(&mut self.judge, &piece);
            match is_wanted {
                None => line.undecided += 1,
                Some(_) if line.undecided > 0 => {
                    line.undecided = 0;
                    settle(&mut self.waiting, piece.source, is_wanted);
                }
                Some(_) => {}
            }
            is_wanted
        } else {
            Some(true)
        };
        self.waiting_bytes += weight(&piece);
        self.waiting.push_back(Waiting {
            piece,
            place,
            is_wanted,
        });
        if self.waiting_bytes > WAITING {
            self.judge_first();
        }
    }

    /// The next piece that is wanted.
    pub(super) fn next(&mut self) -> Option<LogPiece> {
        loop {
            let is_wanted = self.waiting.front()?.is_wanted?;
            let Waiting { piece, place, .. } = self.waiting.pop_front()?;
            self.waiting_bytes -= weight(&piece);
            self.last = Some(place);
            self.within[index(piece.source)] = !piece.ends_line;
            if !self.judge.looks() || self.within == [false; 2] {
                self.place = Some(place);
            }
            if is_wanted {
                return Some(piece);
            }
        }
    }

    /// The log is over, and may begin anew: lines that are not over are judged by what there is of them. Answers whether
    /// that gave pieces; if not, nothing waits.
    pub(super) fn finish(&mut self) -> bool {
        while self.waiting.iter().any(|waiting| waiting.is_wanted.is_none()) {
            self.judge_first();
        }
        let has_pieces = !self.waiting.is_empty();
        if !has_pieces {
            self.open = Default::default();
            self.within = [false; 2];
            self.place = self.last.or(self.place);
        }
        has_pieces
    }

    /// Where a reader goes on that has all pieces up to here.
    pub(super) fn place(&self) -> Option<LogPlace> {
        self.place
    }

    /// Judges the first line of which nothing is known by what there is of it.
    fn judge_first(&mut self) {
        let undecided = self.waiting.iter().find(|waiting| waiting.is_wanted.is_none());
        let Some(source) = undecided.map(|waiting| waiting.piece.source) else {
            return;
        };
        let line = &mut self.open[index(source)];
        let is_wanted = Some(self.judge.judge(source, &line.beginning));
        line.is_wanted = is_wanted;
        line.undecided = 0;
        settle(&mut self.waiting, source, is_wanted);
    }
}

impl Line {
    fn judge(&mut self, judge: &mut Judge, piece: &LogPiece) -> Option<bool> {
        let is_new = self.is_wanted.is_none() && self.beginning.is_empty();
        if is_new && piece.ends_line {
            let beginning = &piece.bytes[..piece.bytes.len().min(JUDGED)];
            return Some(judge.judge(piece.source, beginning));
        }
        if self.is_wanted.is_none() {
            let room = JUDGED - self.beginning.len();
            self.beginning
                .extend_from_slice(&piece.bytes[..piece.bytes.len().min(room)]);
            if piece.ends_line || self.beginning.len() == JUDGED {
                self.is_wanted = Some(judge.judge(piece.source, &self.beginning));
            }
        }
        let is_wanted = self.is_wanted;
        if piece.ends_line {
            self.beginning.clear();
            self.is_wanted = None;
        }
        is_wanted
    }
}

/// What is known of the line of a source holds for its pieces that wait.
fn settle(waiting: &mut VecDeque<Waiting>, source: LogSource, is_wanted: Option<bool>) {
    let pieces = waiting
        .iter_mut()
        .filter(|waiting| waiting.piece.source == source);
    pieces
        .filter(|waiting| waiting.is_wanted.is_none())
        .for_each(|waiting| waiting.is_wanted = is_wanted);
}

fn weight(piece: &LogPiece) -> usize {
    size_of::<Waiting>() + piece.bytes.len()
}

#[cfg(test)]
mod tests;
