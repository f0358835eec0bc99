//! A device's reports on its link, from bytes to the cache.
//!
//! Bytes are split into lines; each line is parsed, bounded and applied in pieces. After a large report, control waits
//! before it reads on. The device's own stream is held back by that, and no other device's.

use crate::{
    cache::ReportEffect,
    core::Core,
    report::{BoundedReport, SENTENCE_CHARS, count_unknown},
};
use bytes::BytesMut;
use flotilla_fleet::check_protocol;
use flotilla_link::LongStream;
use flotilla_protocol::{agent::Report, id::DeviceId, text::shown};
use futures_util::StreamExt;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{
    task::{spawn_blocking, yield_now},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};

/// The delay with which changes are saved, and the least time between two publications of changing figures. Only the
/// first inventory of a link is saved at once: the stored copy before it is empty or old.
const SETTLE: Duration = Duration::from_secs(5);

/// Longest report that is read. A full inventory of 2,000 containers is about 2 MB.
const REPORT_BYTES: usize = 4 << 20;

/// Commas in a report, which bound the number of its values. An inventory of 2,000 containers, each with an image and a
/// volume of its own, has half of them. Parsed, a value takes up to a hundred times the memory of its text.
const REPORT_VALUES: usize = 250_000;

/// The least that a report costs of its device's pace, in bytes: its row is made and published for each.
const REPORT_COST: usize = 4096;

/// Reports up to this are parsed on the link's own task, in less than a millisecond.
const SHORT_BYTES: usize = 32 << 10;

/// Applies reports until the stream ends; answers why it did.
pub(super) async fn apply_reports(core: &Core, device: DeviceId, mut reports: LongStream) -> String {
    let mut lines = Lines::default();
    let mut due = Deadlines::default();
    loop {
        tokio::select! {
            chunk = reports.next() => match chunk {
                Some(Ok(chunk)) => lines.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return error.to_string(),
                None => return "the agent stopped reporting".to_owned(),
            },
            () = until(due.save) => {
                due.save = None;
                save(core, device).await;
            }
            () = until(due.show) => {
                due.show = None;
                due.shown = Instant::now();
                let (mut state, now) = (core.cache.lock(), core.clock.now());
                state.publish_device(device, now);
                state.publish_figures(device, now);
            }
        }
        loop {
            match lines.next() {
                Ok(Some(line)) => {
                    if let Err(reason) = apply_line(core, device, line, &mut due).await {
                        return reason;
                    }
                }
                Ok(None) => break,
                Err(reason) => return reason,
            }
        }
    }
}

/// Applies one report, and waits as long as the device's pace asks for.
async fn apply_line(core: &Core, device: DeviceId, line: String, due: &mut Deadlines) -> Result<(), String> {
    let cost = line.len().max(REPORT_COST);
    let ParsedReport { report, unknown } = read(core, line).await?;
    if unknown > 0 && core.links.unknown.fetch_add(unknown, Ordering::Relaxed) == 0 {
        tracing::info!(device.id = %device, "an agent is newer than this controller, and tells what is not known here");
    }
    if let BoundedReport::Hello(hello) = &report {
        check_protocol(hello.protocol).map_err(|error| error.to_string())?;
    }
    let is_first_inventory = matches!(report, BoundedReport::Inventory { .. })
        && !std::mem::replace(&mut due.inventory_seen, true);
    for piece in report.pieces() {
        let effect = core.cache.lock().apply_report(device, piece, core.clock.now());
        due.note(effect, is_first_inventory);
        yield_now().await;
    }
    let wait = core.cache.lock().pace(device, cost, core.clock.now());
    if !wait.is_zero() {
        sleep(wait).await;
    }
    Ok(())
}

/// A report within bounds.
#[derive(Debug, PartialEq)]
struct ParsedReport {
    report: BoundedReport,
    /// How many of its parts are unknown and left out.
    unknown: usize,
}

/// Parses a report; a large one on a blocking thread, one at a time.
async fn read(core: &Core, line: String) -> Result<ParsedReport, String> {
    if line.len() <= SHORT_BYTES {
        return parse(&line);
    }
    let _reading = core.links.reading.acquire().await;
    let read = spawn_blocking(move || parse(&line)).await;
    read.unwrap_or_else(|error| Err(format!("a report can't be read: {error}")))
}

fn parse(line: &str) -> Result<ParsedReport, String> {
    if line.bytes().filter(|byte| *byte == b',').count() > REPORT_VALUES {
        return Err(format!("a report has more than {REPORT_VALUES} values"));
    }
    let report: Report = serde_json::from_str(line)
        .map_err(|error| shown(&format!("a report can't be read: {error}"), SENTENCE_CHARS))?;
    Ok(ParsedReport {
        unknown: count_unknown(&report),
        report: report.into(),
    })
}

/// When the link's changes are saved and published next.
struct Deadlines {
    save: Option<Instant>,
    show: Option<Instant>,
    shown: Instant,
    inventory_seen: bool,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            save: None,
            show: None,
            shown: Instant::now() - SETTLE,
            inventory_seen: false,
        }
    }
}

impl Deadlines {
    fn note(&mut self, effect: ReportEffect, is_first_inventory: bool) {
        match effect {
            ReportEffect::Changed if is_first_inventory => self.save = Some(Instant::now()),
            ReportEffect::Changed => self.save = self.save.or(Some(Instant::now() + SETTLE)),
            ReportEffect::Figures => self.show = self.show.or(Some(self.shown + SETTLE)),
            ReportEffect::Nothing => {}
        }
    }
}

/// Saves a device's last report, so that its rows survive a restart.
pub(super) async fn save(core: &Core, device: DeviceId) {
    let Some((last_report, seen)) = core
        .cache
        .read(device, |entry| (entry.last_report.clone(), entry.row.last_seen))
    else {
        return;
    };
    let seen = seen.unwrap_or_else(|| core.clock.now());
    if let Err(error) = core.store.save_last_report(device, seen, &last_report).await {
        tracing::error!(device.id = %device, %error, "inventory not saved");
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Splits the bytes that arrived into lines.
struct Lines {
    buffer: BytesMut,
    codec: LinesCodec,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            codec: LinesCodec::new_with_max_length(REPORT_BYTES),
        }
    }
}

impl Lines {
    /// The next whole line; an error when it is too long or not UTF-8.
    fn next(&mut self) -> Result<Option<String>, String> {
        let line = self.codec.decode(&mut self.buffer).map_err(|error| match error {
            LinesCodecError::MaxLineLengthExceeded => {
                format!("a report has more than {REPORT_BYTES} bytes")
            }
            LinesCodecError::Io(error) => format!("a report can't be read: {error}"),
        })?;
        if self.buffer.is_empty() {
            // An idle link holds no buffer.
            self.buffer = BytesMut::new();
        }
        Ok(line)
    }
}

#[cfg(test)]
#[path = "../../../protocol/tests/corpus/next.rs"]
mod next;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::Testbed;
    use serde::Deserialize;

    #[test]
    fn reports_are_cut_at_line_ends_wherever_the_chunks_end() {
        let mut lines = Lines::default();
        lines.buffer.extend_from_slice(b"{\"report\":\"tides\"}\n{\"repo");
        let first = lines.next().unwrap().unwrap();
        let unknown = ParsedReport {
            report: BoundedReport::Unknown,
            unknown: 1,
        };
        assert_eq!(parse(&first), Ok(unknown));
        assert_eq!(lines.next(), Ok(None));
        lines.buffer.extend_from_slice(b"rt\":\"tides\"}\n");
        assert_eq!(lines.next().unwrap().unwrap(), first);
        assert_eq!(lines.buffer.capacity(), 0);
        lines.buffer.extend_from_slice(b"\xff\xfe\n");
        assert!(lines.next().is_err(), "no text");
    }

    #[tokio::test]
    async fn a_newer_agents_reports_cost_what_is_new_in_them_and_never_the_link() {
        let nas = crate::testbed::peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let corpus = include_str!("../../../protocol/tests/corpus/1/report.json");
        let reports: Vec<serde_json::Value> = serde_json::from_str(corpus).unwrap();
        let mut due = Deadlines::default();
        let mut applied = 0;
        for report in &reports {
            let everywhere = ("everywhere".to_owned(), next::extended(report));
            let edited = next::reworded(report).into_iter().chain(next::shortened(report));
            let edited = edited.map(|variant| (variant.place, variant.message));
            let changed = std::iter::once(everywhere).chain(edited);
            let is_readable = |message: &serde_json::Value| Report::deserialize(message).is_ok();
            for (place, line) in changed.filter(|(_, message)| is_readable(message)) {
                let outcome = apply_line(&bed.core, nas.row.id, line.to_string(), &mut due).await;
                assert_eq!(outcome, Ok(()), "{place}: {line}");
                applied += 1;
            }
        }
        assert!(applied > 150, "{applied}");
        // A report, an item and a reference of each kind, at least.
        assert!(bed.core.links.count_unknown() >= reports.len() + 2);
        let (status, _) = bed.call(http::Method::GET, "/devices/nas", "").await;
        assert!(status.is_success());
    }

    #[tokio::test]
    async fn an_agent_that_speaks_another_protocol_is_told_both_versions() {
        let nas = crate::testbed::peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let hello = |protocol: u32| {
            format!(
                r#"{{"report":"hello","protocol":{protocol},"agent_version":"9.0","sent_at":"2026-11-21T14:02:00Z",
                "facts":{{"hostname":"nas","os":"","kernel":"","arch":"","cpus":1,"memory_bytes":1,"disk_bytes":1}}}}"#
            )
        };
        let mut due = Deadlines::default();
        for spoken in flotilla_protocol::SPOKEN {
            assert_eq!(
                apply_line(&bed.core, nas.row.id, hello(spoken), &mut due).await,
                Ok(())
            );
        }
        let reason = apply_line(&bed.core, nas.row.id, hello(9), &mut due)
            .await
            .unwrap_err();
        assert!(
            reason.contains("speaks protocol 1 ") && reason.contains("the agent speaks 9."),
            "{reason}"
        );
    }

    #[test]
    fn a_long_line_in_small_pieces_is_looked_at_once_and_refused_when_it_is_too_long() {
        let mut lines = Lines::default();
        let piece = [b' '; 1024];
        for _ in 0..REPORT_BYTES / piece.len() {
            lines.buffer.extend_from_slice(&piece);
            assert_eq!(lines.next(), Ok(None));
        }
        lines.buffer.extend_from_slice(&piece);
        assert_eq!(lines.next().unwrap_err(), "a report has more than 4194304 bytes");
    }

    #[test]
    fn what_is_wrong_with_a_report_is_said_in_few_plain_words() {
        let hostile = format!(
            r#"{{"report":"facts","hostname":"nas","cpus":"\u001b[2J{}"}}"#,
            "x".repeat(1 << 20)
        );
        let reason = parse(&hostile).unwrap_err();
        assert!(
            reason.chars().count() <= SENTENCE_CHARS + 1 && reason.starts_with("a report can't be read: ")
        );
        assert!(!reason.contains('\u{1b}'), "{reason}");
        let many = format!("[{}0]", "0,".repeat(REPORT_VALUES + 1));
        assert_eq!(parse(&many).unwrap_err(), "a report has more than 250000 values");
    }

    #[test]
    fn changes_are_saved_together_and_the_first_inventory_of_a_link_at_once() {
        let mut due = Deadlines::default();
        let begun = Instant::now();
        due.note(ReportEffect::Changed, false);
        let save = due.save.unwrap();
        assert!(save - begun >= SETTLE, "{:?}", save - begun);
        due.note(ReportEffect::Changed, false);
        assert_eq!(due.save, Some(save), "further changes put it off no further");
        due.note(ReportEffect::Changed, true);
        assert!(due.save.unwrap() < save, "the first of a link is written at once");
    }
}
