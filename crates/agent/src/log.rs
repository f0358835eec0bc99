//! The log on standard error, the same for every program of ours: one line for each event, whatever is in its fields.

use flotilla_protocol::text::shown;
use std::io::{self, IsTerminal};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    filter::LevelFilter,
    fmt::format::{FormatFields, debug_fn},
};

/// The longest field that is logged, in characters; longer than any field of ours. Devices, engines and hosts put their
/// own words into some.
const FIELD_CHARS: usize = 1000;

/// The engine client's debug output quotes the engine's answers, which hold secrets of containers.
const QUIET: &str = "bollard=warn";

/// Starts logging. `RUST_LOG` decides what is logged; without it, what Flotilla logs at the level info.
///
/// # Panics
/// The process logs already.
#[expect(clippy::disallowed_methods, reason = "its fields are shown safely")]
pub fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    let filter = QUIET.parse().into_iter().fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .fmt_fields(fields())
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Formats fields so that nothing in them steers a terminal, ends the line or changes its direction.
fn fields() -> impl for<'writer> FormatFields<'writer> {
    debug_fn(|writer, field, value| {
        let value = shown(&format!("{value:?}"), FIELD_CHARS);
        match field.name() {
            "message" => write!(writer, "{value}"),
            // A library that logs without spans repeats there what the head of the line says.
            name if name.starts_with("log.") => Ok(()),
            name => write!(writer, "{name}={value}"),
        }
    })
    .delimited(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Page {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_field_from_elsewhere_neither_steers_the_terminal_nor_makes_a_line_of_its_own() {
        let page = Page::default();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(fields())
            .without_time()
            .with_ansi(false)
            .with_writer(page.clone())
            .finish();
        let hostile = "down\u{1b}[2J\u{9b}31m\r\n ERROR forged\u{202e}\u{7}";
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("link", reason = %hostile);
            let _entered = span.enter();
            tracing::warn!(error = %hostile, name = hostile, kept = ?hostile, count = 7, "it is {hostile}");
            tracing::info!(long = %"x".repeat(1 << 20), "bounded");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        let seen = |c: char| c == '\n' || !flotilla_protocol::text::is_unseen(c);
        assert!(text.chars().all(seen), "{text:?}");
        assert!(
            text.contains(r"error=down\u{1b}[2J\u{9b}31m\r\n ERROR forged\u{202e}\u{7}"),
            "{text}"
        );
        assert!(text.contains("count=7") && text.contains("it is down"), "{text}");
        assert!(text.len() < 10_000, "{} bytes", text.len());
    }
}
