//! What the rogue does on its link, one thing after another.

use super::{super::*, answers, lines};
use flotilla_link::Introduction;
use flotilla_protocol::id::DeviceId;
use tokio::time::{sleep, timeout};

/// The next bytes to send, and the pause after them. `nth` counts from the beginning of the attack, over all of its
/// links.
type Say = fn(peer: DeviceId, nth: usize) -> (Bytes, Duration);

#[derive(Clone, Copy)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    say: Say,
    /// What it answers when control calls.
    answers: fn() -> Router,
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "spoiled reports",
        say: spoiled,
        answers: refuse_all,
    },
    Attack {
        name: "one line without an end",
        say: |_, _| (Bytes::from(vec![b' '; 16 << 10]), Duration::ZERO),
        answers: refuse_all,
    },
    Attack {
        name: "a byte now and then",
        say: |_, nth| {
            let byte = TIDES[nth % TIDES.len()];
            (Bytes::from(vec![byte]), Duration::from_millis(1))
        },
        answers: refuse_all,
    },
    Attack {
        name: "a flood of short reports",
        say: |_, nth| {
            let line =
                format!("{{\"report\":\"usage\",\"cpu_cores\":{nth},\"memory_bytes\":1,\"disk_bytes\":2}}\n");
            (Bytes::from(line.repeat(100)), Duration::ZERO)
        },
        answers: refuse_all,
    },
    Attack {
        name: "an engine that comes and goes",
        say: |_, nth| {
            let state = if nth.is_multiple_of(2) {
                "absent"
            } else {
                "stopped"
            };
            let line = format!("{{\"report\":\"engine\",\"state\":\"{state}\",\"reason\":\"{nth}\"}}\n");
            (Bytes::from(line), Duration::ZERO)
        },
        answers: refuse_all,
    },
    Attack {
        name: "250,000 things at once",
        say: |_, _| (volumes("upsert", 0, 250_000), Duration::from_millis(200)),
        answers: refuse_all,
    },
    Attack {
        name: "other things all the time",
        say: |_, nth| (volumes("upsert", nth * 50_000, 50_000), Duration::ZERO),
        answers: refuse_all,
    },
    Attack {
        name: "all things at once, and then others",
        say: |_, nth| (inventory(nth), Duration::ZERO),
        answers: refuse_all,
    },
    Attack {
        name: "figures without an end",
        say: |_, _| {
            let line = "{\"report\":\"usage\",\"cpu_cores\":1e300,\"memory_bytes\":1,\"disk_bytes\":2}\n";
            (Bytes::from_static(line.as_bytes()), Duration::from_millis(1))
        },
        answers: refuse_all,
    },
    Attack {
        name: "other addresses all the time",
        say: |_, nth| {
            let mesh = crate::testbed::mesh_at([u16::try_from(nth % 60_000).unwrap() + 1]);
            let line = serde_json::to_string(&Report::Mesh(mesh)).unwrap() + "\n";
            (Bytes::from(line), Duration::ZERO)
        },
        answers: refuse_all,
    },
    Attack {
        name: "long news of a hundred jobs without a pause",
        say: |_, _| (Bytes::from_static(TIDES), Duration::from_millis(100)),
        answers: answers::long_news_without_end,
    },
    Attack {
        name: "short news of a hundred jobs without a pause",
        say: |_, _| (Bytes::from_static(TIDES), Duration::from_millis(100)),
        answers: answers::short_news_without_end,
    },
    Attack {
        name: "a hundred other jobs over each link",
        // Control ends the link at the second line.
        say: |_, nth| {
            let line = if nth.is_multiple_of(2) {
                TIDES
            } else {
                b"nonsense\n"
            };
            (Bytes::from_static(line), Duration::from_millis(50))
        },
        answers: answers::other_jobs_each_time,
    },
    Attack {
        name: "a log without an end",
        say: |_, nth| {
            let inventory = Inventory {
                containers: vec![container("4f1c", "web")],
                ..Inventory::default()
            };
            let line = serde_json::to_string(&Report::Inventory(inventory)).unwrap() + "\n";
            let line = if nth == 0 {
                Bytes::from(line)
            } else {
                Bytes::from_static(TIDES)
            };
            (line, Duration::from_millis(100))
        },
        answers: answers::log_without_end,
    },
];

/// A report of which control knows nothing.
const TIDES: &[u8] = b"{\"report\":\"tides\"}\n";

/// Refuses every call at length.
fn refuse_all() -> Router {
    Router::new().fallback(async || {
        let message = "\u{1b}[2J".repeat(50_000);
        (StatusCode::CONFLICT, Json(Code::EngineRefused.because(message)))
    })
}

fn spoiled(peer: DeviceId, nth: usize) -> (Bytes, Duration) {
    static LINES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let lines = LINES.get_or_init(|| lines::spoiled(peer));
    // With a stride that has no divisor in common with most counts, every line is sent, and different kinds come soon.
    let line = &lines[nth * 7919 % lines.len()];
    (Bytes::from(format!("{line}\n")), Duration::ZERO)
}

fn volumes(report: &str, first: usize, count: usize) -> Bytes {
    let volume = |n| format!(r#"{{"kind":"volume","name":"{n}","driver":"","used_by":[]}}"#);
    let items: Vec<_> = (first..first + count).map(volume).collect();
    Bytes::from(format!(
        "{{\"report\":\"{report}\",\"items\":[{}]}}\n",
        items.join(",")
    ))
}

fn inventory(nth: usize) -> Bytes {
    let volume = |n| format!(r#"{{"name":"{nth}-{n}","driver":"","used_by":["a","b","c"]}}"#);
    let volumes: Vec<_> = (0..15_000).map(volume).collect();
    let rest = r#""containers":[],"images":[],"networks":[],"stacks":[]"#;
    Bytes::from(format!(
        "{{\"report\":\"inventory\",\"volumes\":[{}],{rest}}}\n",
        volumes.join(",")
    ))
}

impl Attack {
    /// Attacks for `time`, over as many links as that takes; answers how many.
    pub(super) async fn run(
        self,
        (rogue, name): (&EnrolledDevice, &str),
        peer: DeviceId,
        time: Duration,
    ) -> usize {
        // The lines are made before the time begins to run: making them takes longer than sending some of them.
        (self.say)(peer, 0);
        let end = Instant::now() + time;
        let (mut nth, mut links) = (0, 0);
        while Instant::now() < end {
            let (bytes, mut link) = rogue.dial_raw(name, (self.answers)()).await;
            links += 1;
            let talk = async {
                loop {
                    let (chunk, pause) = (self.say)(peer, nth);
                    nth += 1;
                    if bytes.send(chunk).await.is_err() {
                        return;
                    }
                    if !pause.is_zero() {
                        sleep(pause).await;
                    }
                }
            };
            tokio::select! {
                () = talk => {}
                _ = &mut link => {}
                () = tokio::time::sleep_until(end) => {}
            }
            link.abort();
        }
        links
    }
}

impl EnrolledDevice {
    /// Opens a link whose report stream is the given bytes, and that answers other calls like this.
    async fn dial_raw(&self, name: &str, answers: Router) -> (mpsc::Sender<Bytes>, JoinHandle<LinkEnd>) {
        let target = target(&self.config, Some((&self.machine, &self.response)));
        let introduction = Introduction {
            run: "run".into(),
            machine_id: name.into(),
            hostname: "rogue.lan".into(),
        };
        let dialed = timeout(Duration::from_secs(10), dial(&target, &introduction)).await;
        let (bytes, receiver) = mpsc::channel::<Bytes>(1);
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let watch = move || async move {
            let receiver = receiver.lock().unwrap().take().unwrap();
            Body::from_stream(futures_util::stream::unfold(
                receiver,
                |mut receiver| async move {
                    let chunk = receiver.recv().await?;
                    Some((Ok::<_, std::convert::Infallible>(chunk), receiver))
                },
            ))
        };
        let router = answers.route(WATCH_PATH, get(watch));
        let link = tokio::spawn(flotilla_link::serve(
            dialed.unwrap().unwrap(),
            router,
            CancellationToken::new(),
        ));
        (bytes, link)
    }
}
