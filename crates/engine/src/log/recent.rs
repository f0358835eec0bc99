//! Where a recent range of a log begins, found from the log's end.
//!
//! An engine reads a log from its first line to find a moment, which takes minutes for a large one, and counts lines back
//! from the end at once. So it is asked for some of the last lines, and for more of them until the first one is older than
//! the range. The older ones are left out here.

use flotilla_protocol::{
    Timestamp,
    log::{LogPiece, LogQuery},
};

/// The first number of lines: many enough for some minutes of most containers.
const FIRST: u32 = 1_000;

/// The next number, as a multiple. All that is read for nothing is then a third of what is read in the end.
const GROWTH: u32 = 4;

/// The last number. A range with more lines is read from the beginning of the log: it takes long in any case.
const LAST: u32 = 256_000;

#[derive(Debug)]
pub(super) struct Recent {
    since: Timestamp,
    /// How many lines are asked for; `None` when the engine has to find the range.
    lines: Option<u32>,
    /// The first piece of the answer before.
    first: Option<LogPiece>,
    is_found: bool,
}

/// What becomes of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Skip,
    /// Nothing of this answer: the engine is to be asked for more lines.
    AskAgain,
}

impl Recent {
    /// `None` where a query has no beginning that could be found so. An engine counts lines back from the end of the log,
    /// also where the range ends before that.
    pub(super) fn new(query: &LogQuery) -> Option<Self> {
        let reaches_end = query.after.is_none() && query.tail.is_none() && query.until.is_none();
        let since = query.since.filter(|_| reaches_end)?;
        Some(Self {
            since,
            lines: Some(FIRST),
            first: None,
            is_found: false,
        })
    }

    /// The engine is asked: for so many of the last lines, or for the range when it is `None`.
    pub(super) fn begin(&mut self) -> Option<u32> {
        self.is_found = false;
        self.lines
    }

    /// Looks at the next piece of the answer.
    pub(super) fn pass(&mut self, piece: &LogPiece) -> Verdict {
        if self.lines.is_none() {
            return Verdict::Keep;
        }
        let is_older = piece.at.map(|at| at < self.since);
        if !self.is_found {
            // More lines that begin with the same one are all that there are.
            self.is_found =
                is_older == Some(true) || is_older.is_some() && self.first.as_ref() == Some(piece);
            if !self.is_found {
                let more = self.lines.map(|lines| lines * GROWTH);
                self.lines = more.filter(|lines| is_older.is_some() && *lines <= LAST);
                self.first = Some(piece.clone());
                return Verdict::AskAgain;
            }
        }
        if is_older == Some(true) {
            Verdict::Skip
        } else {
            Verdict::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use flotilla_protocol::log::LogSource;
    use proptest::prelude::*;

    fn piece(number: usize, second: i64) -> LogPiece {
        LogPiece {
            at: Some(Timestamp::from_second(second).unwrap()),
            source: LogSource::Stdout,
            ends_line: true,
            bytes: Bytes::from(number.to_string()),
        }
    }

    /// Reads a log as an engine answers; also how many of its pieces were looked at.
    fn read(log: &[LogPiece], since: Timestamp) -> (Vec<LogPiece>, usize) {
        let query = LogQuery {
            since: Some(since),
            ..LogQuery::default()
        };
        let mut recent = Recent::new(&query).unwrap();
        let mut looked_at = 0;
        'ask: loop {
            let answer: Vec<_> = match recent.begin() {
                Some(lines) => log[log.len().saturating_sub(lines as usize)..].to_vec(),
                None => log
                    .iter()
                    .filter(|piece| piece.at.is_none_or(|at| at >= since))
                    .cloned()
                    .collect(),
            };
            let mut read = Vec::new();
            for piece in answer {
                looked_at += 1;
                match recent.pass(&piece) {
                    Verdict::Keep => read.push(piece),
                    Verdict::Skip => {}
                    Verdict::AskAgain => continue 'ask,
                }
            }
            return (read, looked_at);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_range_is_what_an_engine_gives_that_reads_the_whole_log(
            length in prop_oneof![0..20_usize, 900..5_000_usize], a_second in 1..300_usize, back in 0..4_000_i64,
        ) {
            let second = |number: usize| i64::try_from(number / a_second).unwrap();
            let log: Vec<_> = (0..length).map(|number| piece(number, second(number))).collect();
            let since = Timestamp::from_second(second(length) - back).unwrap();
            let wanted: Vec<_> = log.iter().filter(|piece| piece.at >= Some(since)).cloned().collect();
            prop_assert_eq!(read(&log, since).0, wanted);
        }
    }

    #[test]
    fn of_a_large_log_little_is_read_for_a_recent_range() {
        let log: Vec<_> = (0..300_000)
            .map(|number| piece(number, i64::try_from(number).unwrap()))
            .collect();
        let since = |second| Timestamp::from_second(second).unwrap();
        let (lines, looked_at) = read(&log, since(299_900));
        assert_eq!((lines.len(), looked_at), (100, FIRST as usize));
        let (lines, looked_at) = read(&log, since(290_000));
        assert_eq!((lines.len(), looked_at), (10_000, 16_000 + 2));
        let (lines, looked_at) = read(&log, since(100));
        assert_eq!(
            (lines.len(), looked_at),
            (299_900, 299_900 + 5),
            "the engine finds it"
        );
    }

    #[test]
    fn a_log_without_times_is_read_whole() {
        let timeless = |number| LogPiece {
            at: None,
            ..piece(number, 0)
        };
        let log: Vec<_> = (0..3_000).map(timeless).collect();
        assert_eq!(read(&log, Timestamp::UNIX_EPOCH).0, log);
    }
}
