//! Which pieces are passed on, in which order, and where a reader goes on.

use super::*;
use LogSource::{Stderr, Stdout};
use bytes::Bytes;
use flotilla_protocol::{
    Code, Timestamp,
    log::{EXPRESSION_CHARS, LogLevel},
};
use proptest::prelude::*;

fn filter(grep: Option<&str>, source: Option<LogSource>) -> LineFilter {
    LineFilter::new(&LogQuery {
        grep: grep.map(str::to_owned),
        source,
        ..LogQuery::default()
    })
    .unwrap()
}

fn place(pieces: usize) -> LogPlace {
    LogPlace {
        from: Timestamp::UNIX_EPOCH,
        pieces: u64::try_from(pieces).unwrap(),
    }
}

/// Gives the pieces to a filter; answers which of them it passes on, and the places behind each step.
fn passed(filter: &mut LineFilter, pieces: &[(LogSource, &[u8], bool)]) -> (Vec<String>, Vec<u64>) {
    let (mut all, mut places) = (Vec::new(), Vec::new());
    for (number, (source, bytes, ends_line)) in pieces.iter().enumerate() {
        let piece = LogPiece {
            at: None,
            source: *source,
            ends_line: *ends_line,
            bytes: Bytes::copy_from_slice(bytes),
        };
        filter.push(piece, place(number + 1));
        while let Some(piece) = filter.next() {
            all.push(String::from_utf8_lossy(&piece.bytes[..piece.bytes.len().min(20)]).into_owned());
        }
        places.push(filter.place().unwrap().pieces);
    }
    (all, places)
}

#[test]
fn a_line_in_several_pieces_is_looked_at_whole_and_pieces_keep_their_order() {
    let pieces: [(LogSource, &[u8], bool); 5] = [
        (Stdout, b"an er", false),
        (Stderr, b"error two", true),
        (Stdout, b"ror one", true),
        (Stdout, b"all is well", true),
        (Stderr, b"error three", true),
    ];
    let (all, places) = passed(&mut filter(Some("error"), None), &pieces);
    assert_eq!(all, ["an er", "error two", "ror one", "error three"]);
    assert_eq!(places, [0, 0, 3, 4, 5]);
    let (all, places) = passed(&mut filter(None, Some(Stderr)), &pieces);
    assert_eq!(all, ["error two", "error three"]);
    assert_eq!(places, [1, 2, 3, 4, 5]);
}

#[test]
fn a_line_without_end_is_judged_by_its_beginning_and_nothing_waits_for_ever() {
    let long = vec![b'x'; JUDGED];
    let found = [b"needle", &long[..]].concat();
    let mut pieces: Vec<(LogSource, &[u8], bool)> = vec![(Stdout, &found, false); 1];
    pieces.extend([(Stdout, &long[..], false), (Stdout, b"needle".as_slice(), true)]);
    let (all, places) = passed(&mut filter(Some("needle"), None), &pieces);
    assert_eq!(all.len(), 3);
    assert_eq!(
        places,
        [0, 0, 3],
        "who goes on within it reads it from its beginning"
    );
    pieces[0].1 = &long;
    assert_eq!(passed(&mut filter(Some("needle"), None), &pieces).0, [""; 0]);

    // A line that is not over does not hold back the other source for more than is kept.
    let mut waiting = filter(Some("x"), None);
    let begun: (LogSource, &[u8], bool) = (Stdout, b"x", false);
    let pieces: Vec<_> = std::iter::once(begun)
        .chain([(Stderr, &long[..], true); 5])
        .collect();
    assert_eq!(passed(&mut waiting, &pieces).0.len(), 6);
}

#[test]
fn at_the_end_a_line_is_judged_by_what_there_is_of_it() {
    let mut ending = filter(Some("er"), None);
    let pieces: [(LogSource, &[u8], bool); 2] = [(Stdout, b"error", false), (Stderr, b"other", false)];
    assert_eq!(passed(&mut ending, &pieces).0, [""; 0]);
    assert!(ending.finish());
    assert!(ending.next().is_some_and(|piece| piece.bytes == "error"));
    assert!(ending.next().is_some_and(|piece| piece.bytes == "other"));
    assert!(!ending.finish());
    assert_eq!(ending.place(), Some(place(2)));
    let anew: [(LogSource, &[u8], bool); 2] = [(Stdout, b"nothing", true), (Stderr, b"an error", true)];
    assert_eq!(
        passed(&mut ending, &anew).0,
        ["an error"],
        "a new line is looked at by itself"
    );
}

fn of_level(level: LogLevel, grep: Option<&str>) -> LineFilter {
    LineFilter::new(&LogQuery {
        level: Some(level),
        grep: grep.map(str::to_owned),
        ..LogQuery::default()
    })
    .unwrap()
}

#[test]
fn lines_without_a_level_belong_to_the_line_before_them_of_their_source() {
    let pieces: [(LogSource, &[u8], bool); 9] = [
        (Stdout, b"without", true),
        (Stderr, b"ERR", false),
        (Stdout, b"INFO it begins", true),
        (Stderr, b"OR it fails", true),
        (Stdout, b"level=warn msg=", true),
        (Stderr, b"  at one", true),
        (Stdout, b"and so on", true),
        (Stderr, b"INFO is well", true),
        (Stderr, b"  at two", true),
    ];
    let (all, places) = passed(&mut of_level(LogLevel::Warn, None), &pieces);
    let wanted = ["ERR", "OR it fails", "level=warn msg=", "  at one", "and so on"];
    assert_eq!(all, wanted);
    assert_eq!(places, [1, 1, 1, 4, 5, 6, 7, 8, 9]);
    let (all, _) = passed(&mut of_level(LogLevel::Error, Some("at")), &pieces);
    assert_eq!(all, ["  at one"], "both must hold");
    let (all, _) = passed(&mut of_level(LogLevel::Trace, None), &pieces);
    assert_eq!(all.len(), 8, "what says nothing is not known to matter");
}

#[test]
fn who_goes_on_knows_the_level_of_the_lines_before() {
    let piece = |bytes: &'static [u8], ends_line| LogPiece {
        at: None,
        source: Stdout,
        ends_line,
        bytes: Bytes::from_static(bytes),
    };
    let mut again = of_level(LogLevel::Warn, None);
    again.learn(&piece(b"WARN begins", false));
    again.learn(&piece(b"INFO within it", true));
    let (all, _) = passed(
        &mut again,
        &[(Stdout, b"  at one", true), (Stderr, b"  at two", true)],
    );
    assert_eq!(all, ["  at one"]);
}

proptest! {
    /// A level that each line says, or none, in pieces of any length; the sources take turns by chance.
    #[test]
    fn however_lines_are_cut_those_that_matter_are_passed_on_whole_and_in_order(
        lines in proptest::collection::vec((any::<bool>(), proptest::option::of(0..6_usize), 1..4_usize), 1..30), wanted in 0..6_usize,
    ) {
        let (mut pieces, mut expected, mut said) = (Vec::new(), Vec::new(), [None; 2]);
        for (number, (is_error, level, parts)) in lines.iter().enumerate() {
            let source = if *is_error { Stderr } else { Stdout };
            let level = level.map(|level| LogLevel::ALL[level]);
            let said = &mut said[usize::from(*is_error)];
            *said = level.or(*said);
            let text = level.map_or_else(|| format!("line {number}"), |level| format!("[{level}] line {number}"));
            let cut = text.len().div_ceil(*parts);
            let count = text.len().div_ceil(cut);
            for (part, bytes) in text.as_bytes().chunks(cut).enumerate() {
                let piece = (source, bytes.to_vec(), part + 1 == count);
                if *said >= Some(LogLevel::ALL[wanted]) {
                    expected.push(String::from_utf8(bytes.to_vec()).unwrap());
                }
                pieces.push(piece);
            }
        }
        let pieces: Vec<(LogSource, &[u8], bool)> = pieces.iter().map(|(source, bytes, ends)| (*source, &bytes[..], *ends)).collect();
        let (all, places) = passed(&mut of_level(LogLevel::ALL[wanted], None), &pieces);
        prop_assert_eq!(all, expected);
        prop_assert_eq!(places.last().copied(), u64::try_from(pieces.len()).ok());
    }
}

#[test]
fn many_small_lines_behind_an_open_one_are_bounded_and_cheap() {
    let mut waiting = filter(Some("x"), None);
    let begun: (LogSource, &[u8], bool) = (Stdout, b"x", false);
    let empty: (LogSource, &[u8], bool) = (Stderr, b"", true);
    let pieces: Vec<_> = std::iter::once(begun)
        .chain(std::iter::repeat_n(empty, 200_000))
        .collect();
    let (all, places) = passed(&mut waiting, &pieces);
    assert_eq!(all, ["x"]);
    assert!(places.iter().all(|place| *place == 0), "the line is open");
    assert!(waiting.waiting.is_empty());
}

/// An expression with many states, and a line in which each byte begins what it looks for.
#[test]
fn the_costliest_expression_takes_no_longer_for_a_line_than_a_link_can_wait() {
    let mut costly = filter(Some("a[ab]{900}c"), None);
    let line = vec![b'a'; JUDGED];
    let begun = std::time::Instant::now();
    assert_eq!(passed(&mut costly, &[(Stdout, &line, true)]).0, [""; 0]);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn what_is_no_expression_or_a_costly_one_is_refused_with_its_reason() {
    let refusal = |pattern: &str| {
        let query = LogQuery {
            grep: Some(pattern.to_owned()),
            ..LogQuery::default()
        };
        LineFilter::new(&query).unwrap_err()
    };
    for pattern in [
        "(",
        "(?=x)",
        r"(a)\1",
        &"x".repeat(EXPRESSION_CHARS + 1),
        r"((\w{100}){100}){100}",
    ] {
        let problem = refusal(pattern);
        assert_eq!(problem.code, Code::InvalidInput, "{pattern:.40}");
        assert!(problem.message.chars().count() < 400, "{}", problem.message);
    }
}
