//! Reading logs: how they come, from where on, and what an engine says that fails meanwhile.

use crate::{
    fake::{Fake, OLD_DOCKER},
    watching::{follow, inventory},
};
use flotilla_engine::{Engine, LogReader};
use flotilla_protocol::{
    Problem, Timestamp,
    log::{LogBatch, LogEnd, LogEndReason, LogLevel, LogQuery},
    stream::{End, Event},
};
use tokio_util::sync::DropGuard;

struct Scene {
    engine: Engine,
    fake: Fake,
    _guard: DropGuard,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start(dir.path(), OLD_DOCKER);
        fake.set("c1", "web", "exited", "die");
        let (engine, guard) = follow(&fake);
        inventory(&engine).await;
        Self {
            engine,
            fake,
            _guard: guard,
            _dir: dir,
        }
    }

    async fn read(&self, query: LogQuery) -> (Vec<LogBatch>, End<LogEnd>) {
        let mut log: LogReader = self.engine.log("c1", query).await.unwrap();
        let mut batches = Vec::new();
        loop {
            match log.next().await {
                Event::Item(batch) => batches.push(batch),
                Event::End(end) => return (batches, end),
            }
        }
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// Lines of the standard output, one each second.
fn lines(lines: i64) -> impl Iterator<Item = (u8, Timestamp, String)> {
    (0..lines).map(|line| (1, second(line), format!("line {line}\n")))
}

fn texts(batches: &[LogBatch]) -> Vec<String> {
    let pieces = batches.iter().flat_map(|batch| &batch.pieces);
    pieces
        .map(|piece| String::from_utf8_lossy(&piece.bytes).into_owned())
        .collect()
}

fn complete() -> End<LogEnd> {
    End::Finished {
        outcome: LogEnd {
            reason: LogEndReason::Complete,
        },
    }
}

#[tokio::test]
async fn lines_that_an_engine_sends_one_by_one_are_sent_together() {
    let scene = Scene::start().await;
    scene.fake.keep_log("c1", lines(20_000));
    let (batches, end) = scene.read(LogQuery::default()).await;
    assert_eq!(end, complete());
    let texts = texts(&batches);
    assert!(texts.len() == 20_000 && texts[19_999] == "line 19999");
    assert!(batches.len() < 2_000, "{} batches", batches.len());
}

#[tokio::test]
async fn a_recent_range_is_found_from_the_end_of_the_log() {
    let scene = Scene::start().await;
    scene.fake.keep_log("c1", lines(10_000));
    for (since, requests) in [(9_990, 1), (5_000, 4), (-5, 5)] {
        let query = LogQuery {
            since: Some(second(since)),
            ..LogQuery::default()
        };
        let before = scene.fake.requests("/containers/c1/logs");
        let (batches, end) = scene.read(query).await;
        assert_eq!(end, complete());
        let first = since.max(0);
        let wanted: Vec<_> = (first..10_000).map(|line| format!("line {line}")).collect();
        assert_eq!(texts(&batches), wanted);
        let asked = scene.fake.requests("/containers/c1/logs") - before;
        assert!(asked <= requests, "{asked} requests");
    }
}

#[tokio::test]
async fn what_an_engine_says_that_fails_comes_after_what_it_gave() {
    let scene = Scene::start().await;
    let failure = (
        3,
        second(3),
        "error from daemon in stream: the disk is gone".to_owned(),
    );
    scene.fake.keep_log("c1", lines(2).chain([failure]));
    let (batches, end) = scene.read(LogQuery::default()).await;
    assert_eq!(texts(&batches), ["line 0", "line 1"]);
    let End::Failed {
        problem: Problem { message, .. },
    } = end
    else {
        panic!("{end:?}");
    };
    assert!(message.contains("the disk is gone"), "{message}");
}

#[tokio::test]
async fn lines_of_a_level_are_read_on_where_they_were() {
    let scene = Scene::start().await;
    let text = |line: i64| match line % 4 {
        0 => format!("INFO {line}\n"),
        2 => format!("WARN {line}\n"),
        _ => format!("more {line}\n"),
    };
    scene
        .fake
        .keep_log("c1", (0..40).map(|line| (1, second(line / 8), text(line))));
    let wanted: Vec<_> = (0..40)
        .filter(|line| line % 4 > 1)
        .map(|line| text(line).trim().to_owned())
        .collect();
    let query = LogQuery {
        level: Some(LogLevel::Warn),
        ..LogQuery::default()
    };
    let (batches, _) = scene.read(query.clone()).await;
    assert_eq!(texts(&batches), wanted);
    // A reader that was cut off within what belongs to a line.
    scene
        .fake
        .keep_log("c1", (0..19).map(|line| (1, second(line / 8), text(line))));
    let (batches, _) = scene.read(query.clone()).await;
    let mut read = texts(&batches);
    scene
        .fake
        .keep_log("c1", (0..40).map(|line| (1, second(line / 8), text(line))));
    let after = batches.last().map(|batch| batch.place);
    read.extend(texts(&scene.read(LogQuery { after, ..query }).await.0));
    assert_eq!(read, wanted);
}
