//! What containers wrote: as it is, or without what could steer the terminal that shows it.

use anstream::adapter::StripBytes;
use flotilla_protocol::{
    log::{LogPiece, LogSource},
    text::is_unseen,
};
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// What waits to be written at most: a batch with the ends of its lines and some times, so that it is written at once.
const BUFFER: usize = 64 * 1024;

/// Prints pieces of logs, those of the standard error to ours.
pub(crate) struct LogPrinter {
    stdout: Sink<io::Stdout>,
    stderr: Sink<io::Stderr>,
    has_times: bool,
    /// What stands before each line, by the number of its log.
    labels: Vec<String>,
}

struct Sink<W: Write> {
    /// Lines are written together: a call of the system for each would cost more than all else.
    to: BufWriter<W>,
    /// `None` where the bytes stay as they are.
    strip: Option<StripBytes>,
    /// The log of which a line was begun.
    within: Option<usize>,
}

impl LogPrinter {
    /// With `is_raw`, a terminal gets every byte, too. `labels` stand before the lines of each log.
    pub(crate) fn new(is_raw: bool, has_times: bool, labels: Vec<String>) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            stdout: Sink::new(!is_raw && stdout.is_terminal(), stdout),
            stderr: Sink::new(!is_raw && stderr.is_terminal(), stderr),
            has_times,
            labels,
        }
    }

    /// Prints a piece of a log, named by its number, in its order also where both outputs are one terminal. It is seen
    /// after [`Self::flush`].
    ///
    /// # Errors
    /// The output is closed.
    pub(crate) fn print(&mut self, log: usize, piece: &LogPiece) -> io::Result<()> {
        let label = self.labels.get(log).map_or("", String::as_str);
        match piece.source {
            LogSource::Stderr => {
                self.stdout.to.flush()?;
                self.stderr.print(piece, self.has_times, (log, label))
            }
            LogSource::Stdout | LogSource::Unknown => {
                self.stderr.to.flush()?;
                self.stdout.print(piece, self.has_times, (log, label))
            }
        }
    }

    /// Writes all that was printed.
    ///
    /// # Errors
    /// The output is closed.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stderr.to.flush()?;
        self.stdout.to.flush()
    }
}

impl<W: Write> Sink<W> {
    fn new(is_stripped: bool, to: W) -> Self {
        Self {
            to: BufWriter::with_capacity(BUFFER, to),
            strip: is_stripped.then(StripBytes::new),
            within: None,
        }
    }

    fn print(&mut self, piece: &LogPiece, has_times: bool, (log, label): (usize, &str)) -> io::Result<()> {
        if self.within.is_some_and(|within| within != log) {
            self.end_line()?;
        }
        if self.within.is_none() {
            self.to.write_all(label.as_bytes())?;
            if let Some(at) = piece.at.filter(|_| has_times) {
                write!(self.to, "{at:.9} ")?;
            }
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
        self.within = Some(log);
        if piece.ends_line { self.end_line() } else { Ok(()) }
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.within = None;
        // A sequence that is not over does not swallow the next line.
        self.strip = self.strip.is_some().then(StripBytes::new);
        self.to.write_all(b"\n")
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
            sink.print(&piece, true, (0, "")).unwrap();
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

    #[test]
    fn each_line_of_several_logs_has_its_label_and_a_line_that_is_not_over_is_ended_by_another_log() {
        let mut sink = Sink::new(false, Vec::new());
        let piece = |bytes: &'static str, ends_line| LogPiece {
            at: None,
            source: LogSource::Stdout,
            ends_line,
            bytes: Bytes::from_static(bytes.as_bytes()),
        };
        let mut print = |log, bytes, ends_line| {
            sink.print(&piece(bytes, ends_line), true, (log, ["A ", "B "][log]))
                .unwrap()
        };
        print(0, "one", true);
        print(0, "login", false);
        print(0, ": ", false);
        print(1, "two", true);
        print(0, "three", true);
        assert_eq!(
            sink.to.into_inner().unwrap(),
            b"A one\nA login: \nB two\nA three\n"
        );
    }
}
