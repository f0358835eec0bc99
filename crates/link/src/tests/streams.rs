//! Typed streams over a link: every item once and in order, at the pace of the reader, up to one end.

use super::{
    numbers::{Block, Numbers, Wanted},
    rig::{Agent, Control, SOON, eventually, linked, linked_through},
    wire::Wire,
};
use crate::{
    CallError,
    settings::{self, Limits},
    stream::{AgentStream, Opener, Production, Upward, answer},
};
use flotilla_protocol::{
    Code, Problem,
    stream::{End, Event, EventOf, Frame, Reader},
};
use futures_util::{StreamExt, stream};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn wanted(most: u64) -> Wanted {
    Wanted {
        most,
        width: 100,
        ..Wanted::default()
    }
}

async fn opened(agent: &Agent, wanted: Wanted) -> AgentStream<Numbers> {
    opened_at(agent, "count", wanted).await
}

async fn opened_at(agent: &Agent, kind: &'static str, wanted: Wanted) -> AgentStream<Numbers> {
    agent
        .link
        .open(&kind, wanted, &Opener::Control, SOON)
        .await
        .unwrap()
}

async fn next(stream: &mut AgentStream<Numbers>) -> Option<EventOf<Numbers>> {
    timeout(SOON, stream.next()).await.expect("an event in time")
}

/// Reads blocks that must follow each other from this number on, until the end; returns it and the next number.
async fn read_on(stream: &mut AgentStream<Numbers>, mut number: u64) -> (End<u64>, u64) {
    loop {
        match next(stream).await.expect("an end") {
            Event::Item(block) => {
                assert_eq!(block, Block::new(number, 100));
                number += 1;
            }
            Event::End(end) => {
                assert_eq!(next(stream).await, None, "nothing follows the end");
                return (end, number);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_comes_once_and_in_order_at_full_speed_and_then_the_end() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut stream = opened(&agent, wanted(100_000)).await;
    let read = read_on(&mut stream, 0).await;
    assert_eq!(read, (End::Finished { outcome: 100_000 }, 100_000));
    eventually("nothing runs", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stands_still_stops_who_sends_and_no_other_stream() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut slow = opened(&agent, wanted(u64::MAX)).await;
    let sent = || agent.seen.calls.load(Ordering::SeqCst) as u64;
    for number in 0..10 {
        assert_eq!(next(&mut slow).await, Some(Event::Item(Block::new(number, 100))));
    }
    let mut other = opened(&agent, wanted(50_000)).await;
    let before = sent();
    assert_eq!(read_on(&mut other, 0).await.1, 50_000);
    // Both streams count into one number, so the slow one had at most this.
    let slow_sent = sent() - 50_000;
    let block = 5 + 8 + 100;
    let under_way = settings::STREAM_WINDOW as usize + settings::SEND_BUFFER + 4 * settings::FRAME as usize;
    let most = 10 + under_way as u64 / block;
    assert!(
        before <= most + 50_000 && slow_sent <= most,
        "{slow_sent} of at most {most}"
    );
    // A reader that reads again gets what it missed, and who sends goes on.
    for number in 10..3 * most {
        assert_eq!(next(&mut slow).await, Some(Event::Item(Block::new(number, 100))));
        let ahead = sent() - 50_000 - number;
        assert!(ahead <= most, "{ahead} ahead of at most {most}");
    }
    drop(slow);
    eventually("nothing runs", || agent.seen.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_cable_ends_the_stream_in_time_and_the_next_link_goes_on_where_it_was() {
    let impatient = Limits {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(600),
        ..Limits::default()
    };
    let control = Control::start(impatient);
    let wire = Wire::to(control.address).await;
    let agent = linked_through(&control, vec![wire.endpoint.clone()], impatient).await;
    let mut stream = opened(&agent, wanted(20_000)).await;
    for number in 0..500 {
        assert_eq!(
            next(&mut stream).await,
            Some(Event::Item(Block::new(number, 100)))
        );
    }
    wire.freeze();
    let (end, reached) = read_on(&mut stream, 500).await;
    assert_eq!(end, End::LinkLost);
    assert!(end.can_go_on() && (500..20_000).contains(&reached), "{reached}");
    let agent = linked(&control).await;
    let mut stream = opened(&agent, stream.into_open()).await;
    let read = read_on(&mut stream, reached).await;
    assert_eq!(read, (End::Finished { outcome: 20_000 }, 20_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_stream_ends_who_sends_whether_it_sends_waits_or_listens() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let listens = Wanted {
        listens: true,
        ..wanted(1)
    };
    for wanted in [wanted(u64::MAX), listens] {
        let mut stream = opened(&agent, wanted).await;
        assert!(matches!(next(&mut stream).await, Some(Event::Item(_))));
        assert_eq!(agent.seen.alive(), 1);
        drop(stream);
        eventually("who sends is gone", || agent.seen.alive() == 0).await;
    }
    assert!(!agent.link.is_closed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_says_arrives_in_order_and_its_finish_ends_the_stream() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let listens = Wanted {
        listens: true,
        ..wanted(0)
    };
    let mut stream = opened(&agent, listens).await;
    for number in 0..200 {
        stream.say(&Block::new(number, 100)).await.unwrap();
    }
    stream.finish().await.unwrap();
    assert_eq!(read_on(&mut stream, 0).await, (End::Finished { outcome: 0 }, 200));
    assert_eq!(stream.say(&Block::new(0, 0)).await, Err(CallError::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_caller_cannot_take_all_streams_of_a_device_and_is_told_so() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let listens = || Wanted {
        listens: true,
        ..wanted(0)
    };
    let [page, other] = ["page", "other"].map(|name| Opener::Caller(name.into()));
    let open = async |opener| {
        let stream = agent.link.open::<Numbers>(&"count", listens(), opener, SOON);
        stream.await
    };
    let mut streams = Vec::new();
    for _ in 0..settings::CALLER_STREAMS {
        streams.push(open(&page).await.unwrap());
    }
    let refused = open(&page).await.unwrap_err();
    assert_eq!(refused, CallError::Crowded);
    let problem = Problem::from(refused);
    assert_eq!(problem.code, Code::LinkBusy);
    assert!(problem.message.contains("close one"), "{problem}");
    for opener in [&other, &Opener::Control] {
        open(opener).await.unwrap();
    }
    agent.link.get::<String>("/hello", SOON).await.unwrap();
    // A stream that ended counts no more, also while its reader still has it.
    let mut ended = streams.pop().unwrap();
    ended.finish().await.unwrap();
    assert!(matches!(next(&mut ended).await, Some(Event::End(_))));
    open(&page).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_agent_sends_the_stream_has_one_end_and_decides_nothing_at_control() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let mut garbled = opened_at(&agent, "garble", wanted(1)).await;
    let Some(Event::End(End::Failed { problem })) = next(&mut garbled).await else {
        panic!("no reason");
    };
    assert_eq!(problem.code, Code::Internal, "{problem}");
    assert_eq!(next(&mut garbled).await, None);
    let mut cut = opened_at(&agent, "cut", wanted(1)).await;
    assert_eq!(next(&mut cut).await, Some(Event::End(End::LinkLost)));
    let mut denied = opened_at(&agent, "deceive", wanted(1)).await;
    assert_eq!(next(&mut denied).await, Some(Event::End(End::Unknown)));
    let from = Wanted { from: 1, ..wanted(1) };
    let mut deceiving = opened_at(&agent, "deceive", from).await;
    let Some(Event::End(End::Failed { problem })) = next(&mut deceiving).await else {
        panic!("no reason");
    };
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::Internal, r"no\u{1b}[2J")
    );
    let unknown = agent
        .link
        .open::<Numbers>(&"nothing", wanted(1), &Opener::Control, SOON);
    assert!(matches!(unknown.await, Err(CallError::Malformed(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_passed_on_in_both_directions_up_to_its_end() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    let said = [
        Frame::open::<Numbers>(&wanted(0)).unwrap(),
        Frame::of(&Block::new(2_000, 100)).unwrap(),
        Frame::FINISH,
    ];
    let said = said.map(|frame| frame.to_bytes().unwrap());
    let (open, up) = Upward::open(stream::iter(said).chain(stream::pending()))
        .await
        .unwrap();
    assert_eq!(open, wanted(0));
    let listens = Wanted {
        listens: true,
        ..wanted(2_000)
    };
    let stream = opened(&agent, listens).await;
    let mut passed = Production::<Numbers>::new(|out| stream.pass_on(up, out));
    let (mut reader, mut number) = (Reader::<Numbers>::new(open), 0);
    while let Some(chunk) = timeout(SOON, passed.chunk()).await.unwrap() {
        assert!(chunk.len() <= 2 * settings::FRAME as usize, "{}", chunk.len());
        reader.handle_bytes(&chunk);
        while let Some(event) = reader.poll_event() {
            match event {
                Event::Item(block) => assert_eq!(block, Block::new(number, 100)),
                Event::End(end) => assert_eq!(end, End::Finished { outcome: 2_000 }),
            }
            number += 1;
        }
    }
    assert_eq!(number, 2_002, "the numbers, what was said, and the end");
    eventually("nothing runs", || agent.seen.alive() == 0).await;
}

#[tokio::test]
async fn a_stream_says_so_when_its_agent_stops_and_when_it_is_ended_from_outside() {
    let closing = CancellationToken::new();
    let response = answer::<Numbers, _>(closing.clone(), |_out| std::future::pending());
    closing.cancel();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    let end = |bytes: &[u8]| {
        let mut reader = Reader::<Numbers>::new(wanted(0));
        reader.handle_bytes(bytes);
        reader.poll_event()
    };
    assert_eq!(end(&body), Some(Event::End(End::Stopping)));
    let mut production = Production::<Numbers>::new(|_out| std::future::pending());
    production.end(&End::NotAllowed);
    production.end(&End::TooSlow);
    let chunk = production.chunk().await.unwrap();
    assert_eq!(
        end(&chunk),
        Some(Event::End(End::NotAllowed)),
        "the first end counts"
    );
    assert_eq!(production.chunk().await, None);
}
