//! Calls cross the link, and their different ends are told apart.

use super::rig::{Control, SOON, linked};
use crate::{CallError, LinkEnd, settings::Limits, stream::Opener};
use bytes::Bytes;
use flotilla_protocol::{Code, Problem};
use futures_util::StreamExt;
use http::Request;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_crosses_the_link_and_comes_back() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let text: String = agent.link.get("/hello", SOON).await.unwrap();
    assert_eq!(text.len(), 3_000);
    let sent = serde_json::json!({"a": [1, 2, 3], "b": "x".repeat(100_000)});
    let echoed: serde_json::Value = agent.link.post("/echo", &sent, SOON).await.unwrap();
    assert_eq!(echoed, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_agent_arrives_as_its_problem() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let refused = agent.link.get::<()>("/refuse", SOON).await.unwrap_err();
    assert_eq!(Problem::from(refused).code, Code::EngineUnavailable);
    let unknown = agent.link.get::<()>("/no-such-route", SOON).await.unwrap_err();
    assert!(matches!(unknown, CallError::Malformed(_)), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_says_neither_who_is_let_in_nor_anything_that_steers_or_fills_a_screen() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let refused = agent.link.get::<()>("/deceive", SOON).await.unwrap_err();
    let problem = Problem::from(refused);
    assert_eq!((problem.code, &problem.field), (Code::Internal, &None));
    let (beginning, length) = (r"no\u{1b}[2J\nyes\u{202e}xx", problem.message.chars().count());
    assert!(
        problem.message.starts_with(beginning) && length <= 1001,
        "{length}: {}",
        problem.message
    );
    let garbled = agent.link.get::<u32>("/garble", SOON).await.unwrap_err();
    let CallError::Malformed(what) = &garbled else {
        panic!("{garbled:?}");
    };
    assert!(!what.contains('\u{1b}') && what.chars().count() <= 1001, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_given_up_and_the_link_goes_on() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let limit = Duration::from_millis(50);
    let late = agent.link.get::<()>("/hang", limit).await.unwrap_err();
    assert_eq!(late, CallError::TimedOut(limit));
    assert_eq!(Problem::from(late).code, Code::NoAnswer);
    agent.link.get::<String>("/hello", SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_talks_in_both_directions_and_says_how_it_ended() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let request = Request::post("/shell").body(Bytes::new()).unwrap();
    let mut shell = agent.link.duplex(request, &Opener::Control, SOON).await.unwrap();
    let first = shell.output.next().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "$ ", "output comes before any input");
    for key in ["l", "s", "\n"] {
        shell
            .input
            .send(Bytes::from_static(key.as_bytes()))
            .await
            .unwrap();
        assert_eq!(
            shell.output.next().await.unwrap().unwrap().into_data().unwrap(),
            key
        );
    }
    shell.input.finish().await.unwrap();
    let trailers = shell
        .output
        .next()
        .await
        .unwrap()
        .unwrap()
        .into_trailers()
        .unwrap();
    assert_eq!(trailers["exit-status"], "42");
    assert!(shell.output.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_stops_ends_the_link_in_order() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    agent.stop.cancel();
    assert_eq!(timeout(SOON, agent.link.closed()).await.unwrap(), LinkEnd::Closed);
    assert_eq!(agent.end.await.unwrap(), LinkEnd::Stopped);
    assert!(agent.link.is_closed());
    assert_eq!(agent.link.get::<()>("/hello", SOON).await, Err(CallError::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_runs_when_the_agent_stops_is_still_answered() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let request = Request::post("/shell").body(Bytes::new()).unwrap();
    let mut shell = agent.link.duplex(request, &Opener::Control, SOON).await.unwrap();
    shell.output.next().await.unwrap().unwrap();
    agent.stop.cancel();
    shell.input.send(Bytes::from_static(b"exit\n")).await.unwrap();
    assert_eq!(
        shell.output.next().await.unwrap().unwrap().into_data().unwrap(),
        "exit\n"
    );
    shell.input.finish().await.unwrap();
    assert!(shell.output.next().await.unwrap().unwrap().is_trailers());
    assert_eq!(timeout(SOON, agent.end).await.unwrap().unwrap(), LinkEnd::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_handle_ends_the_link_at_the_agent() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    agent.link.get::<String>("/hello", SOON).await.unwrap();
    drop(agent.link);
    assert_eq!(timeout(SOON, agent.end).await.unwrap().unwrap(), LinkEnd::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_delivers_what_comes_and_then_waits() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut stream = agent.link.stream("/quiet", SOON).await.unwrap();
    assert_eq!(stream.next().await, Some(Ok(Bytes::from_static(b"hello\n"))));
    agent.link.abort();
    assert_eq!(
        timeout(SOON, stream.next()).await.unwrap(),
        Some(Err(CallError::Closed))
    );
}
