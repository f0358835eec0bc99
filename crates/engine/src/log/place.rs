//! Where in a log a reader is, so that another one can go on there.
//!
//! A log has no numbers, and several pieces may have one time, also such that come out of order by a few milliseconds. So
//! a place is a count of pieces from a moment on, which begins anew with each second: the engine gives the pieces from
//! that moment on in the same order again.

use flotilla_protocol::{
    Timestamp,
    log::{LogPiece, LogPlace},
};
use std::time::Duration;

/// How much earlier than a place an answer begins: pieces are that much out of order at most, unless the clock of the
/// device was set.
const SLACK: Duration = Duration::from_secs(10);

/// From when on a reader that goes on must ask for a log.
pub(super) fn begin(place: LogPlace) -> Timestamp {
    place.from.saturating_sub(SLACK).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The place of a reader. It moves with each piece that is read.
#[derive(Debug, Default)]
pub(super) struct Position {
    place: Option<LogPlace>,
    /// What is left out because it was read before.
    skipped: Option<Skip>,
}

#[derive(Debug)]
struct Skip {
    place: LogPlace,
    left: u64,
    has_begun: bool,
}

impl Position {
    /// The place from which a log is read; `None` for one that is read from its beginning, or from anywhere in it.
    pub(super) fn new(after: Option<LogPlace>) -> Self {
        Self {
            place: after,
            skipped: after.map(|place| Skip {
                place,
                left: place.pieces,
                has_begun: false,
            }),
        }
    }

    pub(super) fn place(&self) -> Option<LogPlace> {
        self.place
    }

    /// That of a reader that goes on from here.
    pub(super) fn again(&self) -> Self {
        Self::new(self.place)
    }

    /// Moves behind a piece. Answers whether it is new: not one that was read before.
    pub(super) fn pass(&mut self, piece: &LogPiece) -> bool {
        let is_new = self.is_new(piece);
        if is_new {
            self.count(piece);
        }
        is_new
    }

    /// Whether a piece was not read before. The place stays before it.
    pub(super) fn is_new(&mut self, piece: &LogPiece) -> bool {
        if let Some(skip) = &mut self.skipped {
            match skip.pass(piece) {
                Passed::Known => return false,
                Passed::New => self.skipped = None,
            }
        }
        true
    }

    fn count(&mut self, piece: &LogPiece) {
        self.place = Some(match (self.place, piece.at) {
            (None, at) => LogPlace {
                from: at.unwrap_or(Timestamp::UNIX_EPOCH),
                pieces: 1,
            },
            (Some(place), Some(at)) if at.as_second() > place.from.as_second() => LogPlace {
                from: Timestamp::from_second(at.as_second()).unwrap_or(at),
                pieces: 1,
            },
            // The answer to who goes on from the place does not have it.
            (Some(place), Some(at)) if at < begin(place) => place,
            (Some(place), _) => LogPlace {
                pieces: place.pieces.saturating_add(1),
                ..place
            },
        });
    }
}

enum Passed {
    Known,
    New,
}

impl Skip {
    fn pass(&mut self, piece: &LogPiece) -> Passed {
        // All pieces of a place are of one second. What comes later is new, also if the log lost some of them.
        if piece
            .at
            .is_some_and(|at| at.as_second() > self.place.from.as_second())
        {
            return Passed::New;
        }
        self.has_begun |= piece.at.is_none_or(|at| at >= self.place.from);
        if !self.has_begun {
            return Passed::Known;
        }
        if self.left == 0 {
            return Passed::New;
        }
        self.left -= 1;
        Passed::Known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use flotilla_protocol::log::LogSource;
    use proptest::prelude::*;

    fn piece(number: usize, millisecond: i64) -> LogPiece {
        LogPiece {
            at: Some(Timestamp::from_millisecond(1_800_000_000_000 + millisecond).unwrap()),
            source: LogSource::Stdout,
            ends_line: true,
            bytes: Bytes::from(number.to_string()),
        }
    }

    /// What an engine answers who asks for the log from a moment on.
    fn since(log: &[LogPiece], moment: Timestamp) -> impl Iterator<Item = &LogPiece> {
        log.iter().filter(move |piece| piece.at >= Some(moment))
    }

    proptest! {
        /// The steps between pieces are 0 often, and sometimes backwards.
        #[test]
        fn wherever_a_reader_is_cut_off_the_next_one_has_the_rest_once_and_in_order(
            steps in proptest::collection::vec(prop_oneof![3 => Just(0_i64), 3 => 0..400_i64, 1 => -400..0_i64, 1 => 1_000..5_000_i64], 1..60),
            tail in any::<prop::sample::Index>(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let times = steps.iter().scan(0, |at, step| { *at += step; Some(*at) });
            let log: Vec<_> = times.enumerate().map(|(number, at)| piece(number, at)).collect();
            // The first answer begins somewhere in the log; the times before it are left out of this, as an engine that
            // counts back from the end cannot say how many pieces of the same second come before.
            let log = &log[tail.index(log.len())..];
            let (mut read, mut place) = (Vec::new(), None);
            for cut in cuts.iter().map(|cut| cut.index(log.len())).chain([usize::MAX]) {
                let mut position = Position::new(place);
                let answer = since(log, place.map_or(Timestamp::MIN, begin));
                let new = answer.filter(|piece| position.pass(piece)).take(cut).cloned().collect::<Vec<_>>();
                read.extend(new);
                place = position.place();
            }
            prop_assert_eq!(read, log.to_vec());
        }
    }

    #[test]
    fn a_log_that_was_emptied_meanwhile_is_read_from_its_beginning() {
        let mut position = Position::default();
        (0..5).for_each(|number| assert!(position.pass(&piece(number, 100))));
        assert!(position.again().pass(&piece(5, 2_000)), "it is of a later second");
    }
}
