//! Splits the output of programs on another computer into lines that are safe to show: bounded, and without anything
//! that moves a cursor, colors a terminal, or changes the direction of text.

use bytes::BytesMut;
use flotilla_protocol::text::is_unseen;
use std::io;
use tokio_util::codec::Decoder;

/// Characters of a line that are shown.
const LINE_CHARS: usize = 400;

/// Bytes after which a line that does not end is cut.
const LINE_BYTES: usize = 8 * 1024;

/// Splits a stream of bytes into lines, and makes them harmless. Empty lines are left out.
#[derive(Debug)]
pub(super) struct LineSplitter;

impl Decoder for LineSplitter {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<String>> {
        loop {
            let end = bytes.iter().take(LINE_BYTES).position(|byte| *byte == b'\n');
            let line = match end {
                Some(end) => bytes.split_to(end + 1),
                None if bytes.len() < LINE_BYTES => return Ok(None),
                None => bytes.split_to(LINE_BYTES),
            };
            let line = plain(line.strip_suffix(b"\n").unwrap_or(&line));
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<String>> {
        let line = self.decode(bytes)?;
        Ok(line.or_else(|| Some(plain(&bytes.split())).filter(|line| !line.is_empty())))
    }
}

fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    // A carriage return begins the line anew: the last state of a progress bar remains.
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or(text);
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\t' => plain.push(' '),
            unseen if is_unseen(unseen) => {}
            shown => plain.push(shown),
        }
    }
    let plain = plain.trim_end();
    match plain.char_indices().nth(LINE_CHARS) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain.to_owned(),
    }
}

/// Skips the rest of an escape sequence: `[` and everything up to a letter, or one character.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    if characters.next() == Some('[') {
        characters.find(|c| ('\u{40}'..='\u{7e}').contains(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut bytes, mut lines) = (BytesMut::new(), Vec::new());
        for chunk in chunks {
            bytes.extend_from_slice(chunk);
            lines.extend(std::iter::from_fn(|| LineSplitter.decode(&mut bytes).unwrap()));
        }
        lines.extend(LineSplitter.decode_eof(&mut bytes).unwrap());
        assert!(bytes.is_empty());
        lines
    }

    #[test]
    fn lines_end_where_they_end_and_not_where_the_chunks_do() {
        assert_eq!(lines(&[b"one\ntw", b"o\n\nthree"]), ["one", "two", "three"]);
    }

    #[test]
    fn colors_bars_bells_and_turned_text_are_left_out() {
        let line = "\u{1b}[1;31mred\u{1b}[0m\u{7} 10%\r50%\r\n".as_bytes();
        assert_eq!(lines(&[line]), ["50%"]);
        assert_eq!(
            lines(&["\u{1b}[2Jclean\u{202e}txt.\u{1b}7\tend".as_bytes()]),
            ["cleantxt. end"]
        );
        assert_eq!(lines(&[b"\xff\xfe"]), ["\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn a_line_that_does_not_end_is_cut_and_takes_no_memory() {
        let mut endless = BytesMut::from(&vec![b'a'; 1024 * 1024][..]);
        let lines = std::iter::from_fn(|| LineSplitter.decode(&mut endless).unwrap());
        let lines: Vec<_> = lines.collect();
        assert!(endless.len() <= LINE_BYTES && lines.len() > 100);
        assert!(lines.iter().all(|line| line.chars().count() == LINE_CHARS + 1));
    }

    proptest! {
        #[test]
        fn no_line_holds_what_is_unseen_or_is_long(bytes: Vec<u8>, cut in 0usize..64) {
            let at = cut.min(bytes.len());
            for line in lines(&[&bytes[..at], &bytes[at..]]) {
                prop_assert!(!line.contains(is_unseen));
                prop_assert!(line.chars().count() <= LINE_CHARS + 1);
            }
        }
    }
}
