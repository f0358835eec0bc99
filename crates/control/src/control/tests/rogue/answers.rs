//! What the rogue answers when control asks for its jobs, or for a log.

use super::super::*;
use axum::Json;
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{
    id::JobId,
    job::{JOBS_PATH, JobProgress, JobReport, JobRequest, JobState},
    log::{LogBatch, LogPiece, LogPlace, LogSource, ReadLog},
    stream::{End, Streaming as _},
};

/// The number of the first job of those that say much, and of those that say little.
const LONG: u128 = 1_000;
const SHORT: u128 = 2_000;

/// As many jobs as control looks at.
const JOBS: u128 = 100;

fn job(id: JobId, state: JobState) -> JobReport {
    JobReport {
        id,
        request: JobRequest::Placement {
            container: id.to_string(),
            member: true,
        },
        state,
        target: Some("\u{1b}[2Jweb".into()),
        underway: true,
        interrupted: false,
        began: crate::clock::Clock::system().now(),
        ended: None,
        container: None,
        problem: None,
        lines: Vec::new(),
        next_line: 0,
    }
}

fn jobs(first: u128, state: JobState) -> Json<Vec<JobReport>> {
    let ids = (first..first + JOBS).map(|n| JobId(uuid::Uuid::from_u128(n)));
    Json(ids.map(|id| job(id, state)).collect())
}

/// Lines of a thousand of the longest characters of which a frame has room for so many.
const LINES: usize = 60;

/// The same jobs over each link. They do not end, and say long lines as fast as they are read.
pub(super) fn long_news_without_end() -> Router {
    news_without_end(LONG, (LINES, "\u{10348}".repeat(1_000)))
}

/// As [`long_news_without_end`], one short line at a time.
pub(super) fn short_news_without_end() -> Router {
    news_without_end(SHORT, (1, String::new()))
}

fn news_without_end(first: u128, (lines, text): (usize, String)) -> Router {
    let follow = move |Path(id): Path<JobId>, Opened { open, .. }: Opened<JobProgress>| async move {
        answer::<JobProgress, _>(CancellationToken::new(), move |mut out| async move {
            for next_line in (open.from..).step_by(lines) {
                let news = JobReport {
                    lines: (0..lines).map(|n| format!("{next_line} {n} {text}")).collect(),
                    next_line,
                    ..job(id, JobState::Running)
                };
                if out.send(&news).await.is_err() {
                    break;
                }
            }
            End::Canceled
        })
    };
    Router::new()
        .route(JOBS_PATH, get(async move || jobs(first, JobState::Running)))
        .route(JobProgress::PATH, post(follow))
}

/// How many lines control has taken of the jobs that say much, and of those that say little.
pub(super) fn count_lines(control: &Control) -> [u64; 2] {
    [LONG, SHORT].map(|first| {
        let ids = (first..first + JOBS).map(|n| JobId(uuid::Uuid::from_u128(n)));
        control.core.jobs.read(|jobs| {
            let known = ids.filter_map(|id| jobs.lookup(id));
            known.map(|record| u64::from(record.lines.next_number())).sum()
        })
    })
}

/// Other jobs over each link, all of them done.
pub(super) fn other_jobs_each_time() -> Router {
    let list = async || jobs(rand::random(), JobState::Done);
    let done = async |Path(id): Path<JobId>, _: Opened<JobProgress>| {
        answer::<JobProgress, _>(CancellationToken::new(), move |_| async move {
            End::Finished {
                outcome: job(id, JobState::Done),
            }
        })
    };
    Router::new()
        .route(JOBS_PATH, get(list))
        .route(JobProgress::PATH, post(done))
}

/// Any log, in pieces of a few bytes, as fast as it is read.
pub(super) fn log_without_end() -> Router {
    let read = async |_: Opened<ReadLog>| {
        let piece = LogPiece {
            at: None,
            source: LogSource::Stderr,
            ends_line: true,
            bytes: Bytes::from_static(b"\x1b[2J"),
        };
        let batch = LogBatch {
            place: LogPlace {
                from: flotilla_protocol::Timestamp::UNIX_EPOCH,
                pieces: u64::MAX,
            },
            pieces: vec![piece; 8_000],
        };
        answer::<ReadLog, _>(CancellationToken::new(), move |mut out| async move {
            while out.send(&batch).await.is_ok() {}
            End::Canceled
        })
    };
    Router::new().route(ReadLog::PATH, post(read))
}
