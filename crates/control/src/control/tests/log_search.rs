//! Searches through logs of agents: what is found comes at once, each device is told of, and who goes away ends the work.

use super::streams::{Bed, Page};
use super::*;
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{
    api::{LogSearch, SearchEnd, SearchEndReason, SearchItem, SearchLogs, SearchState},
    log::{LogBatch, LogEnd, LogEndReason, LogPiece, LogPlace, LogSource, ReadLog},
    stream::{End, Event, Streaming as _},
};
use std::future::pending;

/// The logs of an agent: how many are read at the moment, and how many were at once at most.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeLogs {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn batch(text: &str) -> LogBatch {
    let piece = LogPiece {
        at: Some(flotilla_protocol::Timestamp::UNIX_EPOCH),
        source: LogSource::Stdout,
        ends_line: true,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    };
    LogBatch {
        place: LogPlace {
            from: flotilla_protocol::Timestamp::UNIX_EPOCH,
            pieces: 1,
        },
        pieces: vec![piece],
    }
}

impl FakeLogs {
    /// A log says its container's id and the expression. That of `endless` is never over, and that of `firehose` has no
    /// end.
    pub(super) fn routes(&self) -> Router {
        let logs = self.clone();
        let read = async move |Path(id): Path<String>, Opened { open, .. }: Opened<ReadLog>| {
            let now = logs.open.fetch_add(1, Ordering::SeqCst) + 1;
            logs.most.fetch_max(now, Ordering::SeqCst);
            let is_open = Open(logs.open.clone());
            answer::<ReadLog, _>(CancellationToken::new(), |mut out| async move {
                let _is_open = is_open;
                let grep = open.grep.unwrap_or_default();
                if grep == "(" {
                    return Code::InvalidInput.because("That is no expression.").into();
                }
                if id == "unread" {
                    return Code::EngineRefused.because("It keeps nothing.").into();
                }
                out.send(&batch(&format!("{id} {grep}"))).await.unwrap();
                if id == "firehose" {
                    loop {
                        out.send(&batch("more")).await.unwrap();
                    }
                }
                if id == "endless" {
                    pending::<()>().await;
                }
                End::Finished {
                    outcome: LogEnd {
                        reason: LogEndReason::Complete,
                    },
                }
            })
        };
        Router::new().route(ReadLog::PATH, post(read))
    }
}

/// A control with an agent that has these containers, each with its id as its name.
async fn bed(containers: &[&str]) -> Bed {
    let bed = Bed::new().await;
    let inventory = Inventory {
        containers: containers.iter().map(|id| container(id, id)).collect(),
        ..Default::default()
    };
    bed.agent
        .reports
        .send(Report::Inventory(inventory))
        .await
        .unwrap();
    let total = u32::try_from(containers.len()).unwrap();
    bed.control
        .eventually("its containers", "box", |device| device.containers.total == total)
        .await;
    bed
}

async fn search(bed: &Bed, wanted: LogSearch) -> Page<SearchLogs> {
    Page::open(bed.control.core.api_addr, &(), (bed.token(), wanted)).await
}

fn for_x() -> LogSearch {
    LogSearch {
        grep: Some("x".into()),
        ..LogSearch::default()
    }
}

/// All items, and the end.
async fn read(page: &mut Page<SearchLogs>) -> (Vec<SearchItem>, End<SearchEnd>) {
    let mut items = Vec::new();
    loop {
        match page.next().await {
            Event::Item(item) => items.push(item),
            Event::End(end) => return (items, end),
        }
    }
}

fn complete() -> End<SearchEnd> {
    End::Finished {
        outcome: SearchEnd {
            reason: SearchEndReason::Complete,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_logs_are_searched_two_at_a_time_and_lines_come_with_their_containers() {
    let names = ["a", "b", "c", "d", "e", "unread"];
    let bed = bed(&names).await;
    let (items, end) = read(&mut search(&bed, for_x()).await).await;
    assert_eq!(end, complete());
    let mut containers = std::collections::BTreeMap::new();
    let (mut found, mut unread, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            SearchItem::Container(container) => match container.reason {
                Some(reason) => unread.push((container.name, reason)),
                None => drop(containers.insert(container.number, container.name)),
            },
            SearchItem::Lines(lines) => found.push(format!(
                "{}: {}",
                containers[&lines.container],
                String::from_utf8_lossy(&lines.pieces[0].bytes)
            )),
            SearchItem::Device(device) => devices.push((device.state, device.searched, device.lines)),
        }
    }
    found.sort();
    assert_eq!(found, ["a: a x", "b: b x", "c: c x", "d: d x", "e: e x"]);
    assert_eq!(unread, [("unread".to_owned(), "It keeps nothing.".to_owned())]);
    assert_eq!(devices.first(), Some(&(SearchState::Searching, 0, 0)));
    assert_eq!(devices.last(), Some(&(SearchState::Done, 6, 5)));
    assert!(bed.enrolled.logs.most.load(Ordering::SeqCst) <= 2);

    let one = LogSearch {
        containers: vec!["c".into()],
        devices: vec!["box".into()],
        ..for_x()
    };
    let (items, end) = read(&mut search(&bed, one).await).await;
    assert_eq!(
        (items.len(), end),
        (4, complete()),
        "its beginning, container, line and end"
    );
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_no_one_is_told_of_devices_of_others() {
    let bed = bed(&["a"]).await;
    let refusal = async |headers, wanted| {
        let mut page = Page::<SearchLogs>::open(bed.control.core.api_addr, &(), (headers, wanted)).await;
        match read(&mut page).await.1 {
            End::Failed { problem } => problem.code,
            end => panic!("{end:?}"),
        }
    };
    let bad = LogSearch {
        grep: Some("(".into()),
        ..LogSearch::default()
    };
    assert_eq!(refusal(bed.token(), bad).await, Code::InvalidInput);
    let other = LogSearch {
        containers: vec!["z".into()],
        ..for_x()
    };
    assert_eq!(refusal(bed.token(), other).await, Code::ContainerNotFound);
    assert_eq!(
        refusal(bed.viewer("lab", "lab").await, for_x()).await,
        Code::ContainerNotFound
    );
    let device = LogSearch {
        devices: vec!["box".into()],
        ..for_x()
    };
    assert_eq!(
        refusal(bed.viewer("lab2", "lab").await, device).await,
        Code::NotFound
    );
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_ends_the_work_and_a_device_that_goes_away_is_named() {
    let bed = bed(&["endless", "a", "b"]).await;
    let open = |expected: usize| {
        let open = bed.enrolled.logs.open.clone();
        async move {
            let begun = Instant::now();
            while open.load(Ordering::SeqCst) != expected {
                assert!(begun.elapsed() < Duration::from_secs(10), "{expected} are open");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    let page = search(&bed, for_x()).await;
    open(1).await;
    drop(page);
    open(0).await;

    let mut page = search(&bed, for_x()).await;
    open(1).await;
    bed.agent.link.abort();
    let (items, end) = read(&mut page).await;
    assert_eq!(end, complete());
    let Some(SearchItem::Device(device)) = items.last() else {
        panic!("{items:?}");
    };
    assert_eq!(device.state, SearchState::Away);
    assert!(device.reason.as_ref().unwrap().contains("box"), "{device:?}");
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_brings_no_more_than_a_page_can_hold() {
    let bed = bed(&["firehose"]).await;
    let (items, end) = read(&mut search(&bed, for_x()).await).await;
    let full = SearchEnd {
        reason: SearchEndReason::Full,
    };
    assert_eq!(end, End::Finished { outcome: full });
    let lines = |item: &SearchItem| match item {
        SearchItem::Lines(lines) => lines.pieces.len(),
        _ => 0,
    };
    assert_eq!(items.iter().map(lines).sum::<usize>(), 10_000);
    bed.control.shutdown().await;
}
