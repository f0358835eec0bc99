//! Readers that stop reading cost bounded memory, and delay no other call.

use super::rig::{Control, SOON, eventually, linked};
use crate::{LONG_STREAMS, settings::Limits};
use futures_util::StreamExt;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_stalled_readers_do_not_delay_a_small_call() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut stalled = Vec::new();
    for _ in 0..LONG_STREAMS {
        stalled.push(agent.link.stream("/flood", SOON).await.unwrap());
    }
    let mut took = Vec::new();
    for _ in 0..500 {
        let before = Instant::now();
        agent.link.get::<String>("/hello", SOON).await.unwrap();
        took.push(before.elapsed());
    }
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    println!(
        "beside {LONG_STREAMS} stalled readers: p50 {:?} p99 {p99:?}",
        took[took.len() / 2]
    );
    assert!(p99 < Duration::from_millis(250), "{p99:?}");

    // A reader that reads again gets what it missed.
    let first = stalled.first_mut().unwrap();
    assert_eq!(first.next().await.unwrap().unwrap().first(), Some(&7));
    drop(stalled);
    eventually("all bodies are gone", || agent.seen.alive() == 0).await;
}
