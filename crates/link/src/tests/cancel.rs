//! A call that control drops is dropped at the agent.

use super::rig::{Agent, Control, SOON, eventually, linked};
use crate::{CallError, LONG_STREAMS, LinkEnd, duplex::Duplex, settings::Limits, stream::Opener};
use bytes::Bytes;
use futures_util::StreamExt;
use http::Request;
use std::time::Duration;
use tokio::{task::JoinSet, time::timeout};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_is_dropped_at_the_agent() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let link = agent.link.clone();
    let call = tokio::spawn(async move { link.get::<()>("/hang", SOON).await });
    eventually("the handler runs", || agent.seen.alive() == 1).await;
    call.abort();
    eventually("the handler is gone", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_that_is_dropped_is_dropped_at_the_agent() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut stream = agent.link.stream("/quiet", SOON).await.unwrap();
    stream.next().await.unwrap().unwrap();
    assert_eq!(agent.seen.alive(), 1);
    drop(stream);
    eventually("the body is gone", || agent.seen.alive() == 0).await;
}

async fn shell(agent: &Agent) -> Duplex {
    let request = Request::post("/shell").body(Bytes::new()).unwrap();
    let mut shell = agent.link.duplex(request, &Opener::Control, SOON).await.unwrap();
    shell.output.next().await.unwrap().unwrap();
    assert_eq!(agent.seen.alive(), 1);
    shell
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_terminal_ends_it_at_the_agent() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    drop(shell(&agent).await);
    eventually("the shell is gone", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_only_the_output_of_a_terminal_ends_it_too() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let shell = shell(&agent).await;
    drop(shell.output);
    eventually("the shell is gone", || agent.seen.alive() == 0).await;
    drop(shell.input);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_only_the_input_of_a_terminal_cancels_it() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut shell = shell(&agent).await;
    drop(shell.input);
    eventually("the shell is gone", || agent.seen.alive() == 0).await;
    let end = timeout(SOON, shell.output.next()).await.unwrap();
    assert!(
        !matches!(end, Some(Ok(frame)) if frame.is_trailers()),
        "a cancelled shell has no exit status"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn aborting_a_link_ends_everything_on_it_at_once() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut stream = agent.link.stream("/quiet", SOON).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let link = agent.link.clone();
    let call = tokio::spawn(async move { link.get::<()>("/hang", SOON).await });
    eventually("two things run", || agent.seen.alive() == 2).await;

    let before = std::time::Instant::now();
    agent.link.abort();
    assert_eq!(agent.link.closed().await, LinkEnd::Stopped);
    assert_eq!(call.await.unwrap(), Err(CallError::Closed));
    assert_eq!(timeout(SOON, agent.end).await.unwrap().unwrap(), LinkEnd::Closed);
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    eventually("nothing runs", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_cancelled_calls_does_not_end_the_link() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    // Calls are rarely caught cancelled and not yet handled, so there are many rounds.
    for round in 0..120 {
        let mut wave = JoinSet::new();
        for _ in 0..100 {
            let link = agent.link.clone();
            wave.spawn(async move { link.get::<()>("/hang", SOON).await });
        }
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        wave.shutdown().await;
    }
    agent.link.get::<String>("/hello", SOON).await.unwrap();
    assert!(!agent.link.is_closed());
    eventually("nothing runs", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_streams_are_kept_for_short_calls() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut streams = Vec::new();
    for _ in 0..LONG_STREAMS {
        streams.push(agent.link.stream("/quiet", SOON).await.unwrap());
    }
    assert!(matches!(
        agent.link.stream("/quiet", SOON).await,
        Err(CallError::Busy)
    ));
    let request = Request::post("/shell").body(Bytes::new()).unwrap();
    assert!(matches!(
        agent.link.duplex(request, &Opener::Control, SOON).await,
        Err(CallError::Busy)
    ));
    agent.link.get::<String>("/hello", SOON).await.unwrap();
    streams.pop();
    let mut again = agent.link.stream("/quiet", SOON).await.unwrap();
    assert_eq!(again.next().await, Some(Ok(Bytes::from_static(b"hello\n"))));
}
