//! Answers as engines give them, in chunks of any length.

use super::*;
use proptest::prelude::*;

const AT: &str = "2026-01-02T03:04:05.000000006Z";

fn frame(source: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&[source, 0, 0, 0], &length.to_be_bytes()[..], bytes].concat()
}

fn message(bytes: &[u8]) -> Vec<u8> {
    [AT.as_bytes(), b" ", bytes].concat()
}

fn piece(source: LogSource, bytes: &[u8], ends_line: bool) -> LogPiece {
    LogPiece {
        at: Some(AT.parse().unwrap()),
        source,
        ends_line,
        bytes: Bytes::copy_from_slice(bytes),
    }
}

fn read(has_terminal: bool, answer: &[u8], chunk: usize) -> Result<Vec<LogPiece>, SplitError> {
    let mut splitter = Splitter::new(has_terminal);
    let mut pieces = Vec::new();
    for chunk in answer.chunks(chunk.max(1)) {
        splitter.push(chunk);
        while let Some(piece) = splitter.next(false)? {
            pieces.push(piece);
        }
    }
    while let Some(piece) = splitter.next(true)? {
        pieces.push(piece);
    }
    Ok(pieces)
}

proptest! {
    #[test]
    fn lines_of_both_sources_are_read_whole_however_the_answer_is_cut(
        lines in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>().prop_filter("no end of a line", |byte| *byte != b'\n'), 0..50)), 0..8),
        chunk in 1_usize..100,
    ) {
        let line = |bytes: &[u8]| message(&[bytes, b"\n"].concat());
        let frames = lines.iter().flat_map(|(is_error, bytes)| frame(1 + u8::from(*is_error), &line(bytes)));
        let sources = |is_error| if is_error { LogSource::Stderr } else { LogSource::Stdout };
        let wanted: Vec<_> = lines.iter().map(|(is_error, bytes)| piece(sources(*is_error), bytes, true)).collect();
        prop_assert_eq!(read(false, &frames.collect::<Vec<_>>(), chunk).unwrap(), wanted);
    }

    #[test]
    fn any_bytes_are_read_or_refused(answer in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..100, has_terminal: bool) {
        let _ = read(has_terminal, &answer, chunk);
    }
}

#[test]
fn a_long_line_is_several_pieces_of_which_the_last_ends_it() {
    let long = vec![b'x'; MESSAGE];
    let frames = [frame(1, &message(&long)), frame(1, &message(b"rest\n"))].concat();
    let wanted = [
        piece(LogSource::Stdout, &long, false),
        piece(LogSource::Stdout, b"rest", true),
    ];
    assert_eq!(read(false, &frames, 1000).unwrap(), wanted);
    let terminal = [message(&long), message(b"rest\r\n")].concat();
    assert_eq!(read(true, &terminal, 1000).unwrap(), wanted);
    // Some drivers keep it in one message.
    let one = message(&[&vec![b'x'; 2 * LONGEST][..], b"\n"].concat());
    let pieces = read(false, &frame(1, &one), 1000).unwrap();
    assert!(pieces.iter().all(|piece| piece.bytes.len() <= LONGEST));
    let whole: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    assert_eq!((whole, pieces.last().unwrap().ends_line), (2 * LONGEST, true));
}

#[test]
fn what_a_container_with_a_terminal_wrote_is_lines_and_what_is_left_at_the_end() {
    let answer = [
        message(b"one\r\n"),
        message(b"2026-01-01 two\n"),
        message(b"login: "),
    ]
    .concat();
    let wanted = [
        piece(LogSource::Stdout, b"one", true),
        piece(LogSource::Stdout, b"2026-01-01 two", true),
        piece(LogSource::Stdout, b"login: ", false),
    ];
    for chunk in [1, 7, 1000] {
        assert_eq!(read(true, &answer, chunk).unwrap(), wanted);
    }
}

#[test]
fn times_may_have_a_distance_from_utc_or_be_missing() {
    let podman = frame(2, b"2026-01-02T05:04:05.000000006+02:00 one\n");
    assert_eq!(
        read(false, &podman, 9).unwrap(),
        [piece(LogSource::Stderr, b"one", true)]
    );
    let timeless = LogPiece {
        at: None,
        ..piece(LogSource::Stdout, b"no time", true)
    };
    assert_eq!(read(false, &frame(1, b"no time\n"), 9).unwrap(), [timeless]);
}

#[test]
fn an_answer_that_is_none_is_refused() {
    assert_eq!(read(false, b"<html>....", 3), Err(SplitError::NoFrame));
    let broken = frame(3, b"error from daemon in stream: it is gone");
    let told = |text: &str| Err(SplitError::Engine(text.to_owned()));
    assert_eq!(
        read(false, &broken, 9),
        told("\"error from daemon in stream: it is gone\"")
    );
    assert_eq!(
        read(false, &broken[..14], 9),
        told("\"error\""),
        "it has no more to say"
    );
    assert_eq!(read(false, &frame(3, b""), 9), told("nothing of why"));
    let hostile = frame(3, &[&b"\x1b[2J"[..], &vec![b'x'; 1 << 20]].concat());
    let Err(SplitError::Engine(why)) = read(false, &hostile, 1000) else {
        panic!("it is read");
    };
    assert!(
        why.starts_with("\"\\u{1b}[2Jxxx") && why.chars().count() < 310,
        "{why}"
    );
}
