//! What containers wrote: as it is, or without what could steer the terminal that shows it.

use anstream::adapter::StripBytes;
use flotilla_protocol::{
    log::{LogPiece, LogSource},
    text::is_unseen,
};
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// Prints pieces of a log, those of the standard error to ours.
pub(crate) struct LogPrinter {
    stdout: Sink<io::Stdout>,
    stderr: Sink<io::Stderr>,
    has_times: bool,
}

struct Sink<W: Write> {
    /// Lines are written together: a call of the system for each would cost more than all else.
    to: BufWriter<W>,
    /// `None` where the bytes stay as they are.
    strip: Option<StripBytes>,
    is_within_line: bool,
}

impl LogPrinter {
    /// With `is_raw`, a terminal gets every byte, too.
    pub(crate) fn new(is_raw: bool, has_times: bool) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            stdout: Sink::new(!is_raw && stdout.is_terminal(), stdout),
            stderr: Sink::new(!is_raw && stderr.is_terminal(), stderr),
            has_times,
        }
    }

    /// Prints pieces at once, in their order also where both outputs are one terminal.
    ///
    /// # Errors
    /// The output is closed.
    pub(crate) fn print(&mut self, pieces: &[LogPiece]) -> io::Result<()> {
        for piece in pieces {
            match piece.source {
                LogSource::Stderr => {
                    self.stdout.to.flush()?;
                    self.stderr.print(piece, self.has_times)?;
                }
                LogSource::Stdout | LogSource::Unknown => {
                    self.stderr.to.flush()?;
                    self.stdout.print(piece, self.has_times)?;
                }
            }
        }
        self.stderr.to.flush()?;
        self.stdout.to.flush()
    }
}

impl<W: Write> Sink<W> {
    fn new(is_stripped: bool, to: W) -> Self {
        Self {
            to: BufWriter::new(to),
            strip: is_stripped.then(StripBytes::new),
            is_within_line: false,
        }
    }

    fn print(&mut self, piece: &LogPiece, has_times: bool) -> io::Result<()> {
        if let Some(at) = piece.at.filter(|_| has_times && !self.is_within_line) {
            write!(self.to, "{at:.9} ")?;
        }
        match &mut self.strip {
            None => self.to.write_all(&piece.bytes)?,
            Some(strip) => {
                let bytes: Vec<u8> = strip.strip_next(&piece.bytes).flatten().copied().collect();
                let text = String::from_utf8_lossy(&bytes);
                let seen = text
                    .chars()
                    .filter(|&character| character == '\t' || !is_unseen(character));
                self.to.write_all(seen.collect::<String>().as_bytes())?;
            }
        }
        if piece.ends_line {
            self.to.write_all(b"\n")?;
            // A sequence that is not over does not swallow the next line.
            self.strip = self.strip.is_some().then(StripBytes::new);
        }
        self.is_within_line = !piece.ends_line;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn printed(is_stripped: bool, pieces: &[(&[u8], bool)]) -> Vec<u8> {
        let mut sink = Sink::new(is_stripped, Vec::new());
        for (bytes, ends_line) in pieces {
            let piece = LogPiece {
                at: Some("2026-01-02T03:04:05.006Z".parse().unwrap()),
                source: LogSource::Stdout,
                ends_line: *ends_line,
                bytes: Bytes::copy_from_slice(bytes),
            };
            sink.print(&piece, true).unwrap();
        }
        sink.to.into_inner().unwrap()
    }

    #[test]
    fn a_terminal_is_not_steered_and_a_file_gets_each_byte() {
        let pieces: [(&[u8], bool); 4] = [
            (
                b"\x1b]0;title\x07\x1b[31mred\x1b[0m\tand \xe2\x80\xaeback\x1b[",
                false,
            ),
            (b"2Jon\r\x9b", true),
            (b"\xff\x00next\x1b]0;", true),
            (b"seen", true),
        ];
        let shown = String::from_utf8(printed(true, &pieces)).unwrap();
        assert!(
            !shown
                .chars()
                .any(|character| is_unseen(character) && !"\t\n".contains(character)),
            "{shown:?}"
        );
        assert!(
            shown.starts_with("2026-01-02T03:04:05.006000000Z red\tand back"),
            "{shown:?}"
        );
        assert!(shown.ends_with("seen\n"), "{shown:?}");
        assert_eq!(shown.matches("2026").count(), 3, "one time for each line");
        let raw = printed(false, &pieces);
        let middle = b"2Jon\r\x9b\n2026-01-02T03:04:05.006000000Z \xff\x00next\x1b]0;\n";
        assert!(raw.windows(middle.len()).any(|part| part == middle));
    }
}
