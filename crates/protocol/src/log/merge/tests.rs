//! Logs by chance, given in parts by chance.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

const PATIENCE: Duration = Duration::from_millis(500);

fn piece(millisecond: i64, text: &str, ends_line: bool) -> LogPiece {
    LogPiece {
        at: Some(Timestamp::from_millisecond(millisecond).unwrap()),
        source: LogSource::Stdout,
        ends_line,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn line(millisecond: i64) -> LogPiece {
    piece(millisecond, "line", true)
}

/// What is given out at a moment, as the number of the log and the millisecond.
fn given(merge: &mut Merge, now: u64) -> Vec<(usize, i64)> {
    let next = || merge.poll_piece(Duration::from_millis(now));
    let all = std::iter::from_fn(next);
    all.map(|(log, piece)| (log, piece.at.unwrap().as_millisecond()))
        .collect()
}

/// The steps of time between the pieces of some logs.
fn logs() -> impl Strategy<Value = Vec<Vec<LogPiece>>> {
    let pieces = proptest::collection::vec((0..40_i64, prop::bool::weighted(0.8)), 0..20);
    let log = pieces.prop_map(|steps| {
        let times = steps.into_iter().scan(1_000, |at, (step, ends_line)| {
            *at += step;
            Some(piece(*at, "x", ends_line))
        });
        times.collect::<Vec<_>>()
    });
    proptest::collection::vec(log, 1..5)
}

/// Gives parts of the logs, as `turns` choose them, each `step` milliseconds after the one before, and ends them.
fn merged(
    logs: &[Vec<LogPiece>],
    turns: &[(prop::sample::Index, usize)],
    step: u64,
) -> Vec<(usize, LogPiece)> {
    let mut merge = Merge::new(logs.len(), PATIENCE);
    let (mut rest, mut all, mut now) = (logs.to_vec(), Vec::new(), Duration::ZERO);
    for (turn, count) in turns {
        let log = turn.index(rest.len());
        if merge.wants(log) {
            let count = (*count).min(rest[log].len());
            merge.handle_pieces(log, rest[log].drain(..count).collect(), now);
        }
        all.extend(std::iter::from_fn(|| merge.poll_piece(now)));
        now += Duration::from_millis(step);
    }
    for (log, pieces) in rest.into_iter().enumerate() {
        merge.handle_pieces(log, pieces, now);
        merge.handle_over(log);
    }
    all.extend(std::iter::from_fn(|| merge.poll_piece(now)));
    assert!(merge.is_over());
    all
}

proptest! {
    #[test]
    fn each_log_is_given_out_whole_and_in_its_order_however_late_it_comes(
        logs in logs(), turns in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize), 0..40), step in 0..400_u64,
    ) {
        let all = merged(&logs, &turns, step);
        for (number, log) in logs.iter().enumerate() {
            let own: Vec<_> = all.iter().filter(|(log, _)| *log == number).map(|(_, piece)| piece.clone()).collect();
            prop_assert_eq!(&own, log);
        }
    }

    #[test]
    fn what_comes_within_the_patience_is_in_the_order_of_time_with_lines_whole(
        logs in logs(), turns in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize), 0..40),
    ) {
        let all = merged(&logs, &turns, 0);
        let mut within: Option<usize> = None;
        let mut newest = None;
        for (log, piece) in all {
            match within {
                Some(open) => prop_assert_eq!(open, log, "a line is torn"),
                // The rest of a line may be newer than what comes after it.
                None => {
                    prop_assert!(piece.at >= newest || logs.iter().flatten().any(|piece| !piece.ends_line));
                    newest = newest.max(piece.at);
                }
            }
            let is_last = logs[log].last() == Some(&piece) && !piece.ends_line;
            within = (!piece.ends_line && !is_last).then_some(log);
        }
    }
}

#[test]
fn a_log_that_gives_nothing_is_waited_for_once_and_then_holds_back_no_one() {
    let mut merge = Merge::new(3, PATIENCE);
    merge.handle_over(2);
    merge.handle_pieces(0, vec![line(10), line(20)], Duration::ZERO);
    assert_eq!(given(&mut merge, 0), []);
    assert_eq!(merge.due(), Some(PATIENCE));
    assert_eq!(given(&mut merge, 499), []);
    assert_eq!(given(&mut merge, 500), [(0, 10), (0, 20)]);
    merge.handle_pieces(0, vec![line(30)], Duration::from_millis(600));
    assert_eq!(given(&mut merge, 600), [(0, 30)]);
    // Once it speaks, it is waited for again, for what is newer than what it gave.
    merge.handle_pieces(1, vec![line(35)], Duration::from_millis(700));
    assert_eq!(given(&mut merge, 700), [], "the first log may have an older one");
    merge.handle_pieces(0, vec![line(32), line(40)], Duration::from_millis(710));
    assert_eq!(given(&mut merge, 710), [(0, 32), (1, 35)]);
    merge.handle_away(1);
    assert_eq!(given(&mut merge, 710), [(0, 40)]);
    assert_eq!(merge.due(), None);
}

#[test]
fn old_lines_are_read_without_waiting_for_a_log_that_is_ahead() {
    let mut merge = Merge::new(2, PATIENCE);
    merge.handle_pieces(1, vec![line(90_000)], Duration::ZERO);
    for at in 0..100 {
        merge.handle_pieces(0, vec![line(at)], Duration::ZERO);
        assert_eq!(given(&mut merge, 0), [(0, at)]);
    }
}

#[test]
fn little_waits_of_each_log() {
    let mut merge = Merge::new(2, PATIENCE);
    let long = "x".repeat(1_000);
    let mut given = 0;
    while merge.wants(0) {
        merge.handle_pieces(0, vec![piece(1, &long, true)], Duration::ZERO);
        assert!(merge.poll_piece(Duration::ZERO).is_none());
        given += 1;
    }
    assert!((60..70).contains(&given), "{given}");
    assert!(merge.wants(1));
    merge.handle_over(1);
    assert!(!merge.wants(1) && merge.poll_piece(Duration::ZERO).is_some());
}

#[test]
fn a_line_whose_rest_does_not_come_holds_back_no_one_for_long() {
    let mut merge = Merge::new(2, PATIENCE);
    merge.handle_pieces(0, vec![piece(10, "login: ", false)], Duration::ZERO);
    merge.handle_pieces(1, vec![line(20), line(30)], Duration::ZERO);
    assert_eq!(given(&mut merge, 0), [(0, 10)]);
    assert_eq!(merge.due(), Some(PATIENCE));
    assert_eq!(given(&mut merge, 500), [(1, 20), (1, 30)]);
}
