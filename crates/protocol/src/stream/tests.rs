//! What every stream keeps, whatever bytes arrive and however they are cut.

use super::*;
use crate::Code;
use bytes::BytesMut;
use proptest::prelude::*;
use serde::Deserialize;

/// Counts; it says where it is by bytes, which are no JSON.
#[derive(Debug)]
enum Numbers {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Since {
    from: u64,
}

impl Payload for u64 {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        Ok((7, Bytes::copy_from_slice(&self.to_be_bytes())))
    }

    fn read(kind: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        let number = || body[..].try_into().map(Self::from_be_bytes);
        (kind == 7)
            .then(|| number().map_err(|_| Malformed::Body("no number".into())))
            .transpose()
    }
}

impl Streaming for Numbers {
    type At = u8;
    type Open = Since;
    type Up = u64;
    type Item = u64;
    type End = String;
    const PATH: &'static str = "/numbers/{n}";

    fn path(n: &u8) -> String {
        format!("/numbers/{n}")
    }

    fn advance(open: &mut Since, number: &u64) {
        open.from = number + 1;
    }
}

type Numbered = EventOf<Numbers>;

fn frame(kind: FrameKind, body: Vec<u8>) -> Frame {
    Frame {
        kind,
        body: body.into(),
    }
}

fn sent(frames: &[Frame]) -> BytesMut {
    let mut out = BytesMut::new();
    frames.iter().for_each(|frame| frame.write_to(&mut out).unwrap());
    out
}

/// The bytes in pieces that end at these places.
fn cut<'a>(bytes: &'a [u8], at: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = at.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(places.iter().copied());
    starts.zip(ends).map(|(from, to)| &bytes[from..to]).collect()
}

/// All events of a reader that is given these pieces and then no more.
fn read(pieces: &[&[u8]]) -> (Vec<Numbered>, Since) {
    let mut reader = Reader::<Numbers>::new(Since { from: 0 });
    let mut events = Vec::new();
    for piece in pieces {
        reader.handle_bytes(piece);
        events.extend(std::iter::from_fn(|| reader.poll_event()));
    }
    reader.handle_lost();
    events.extend(std::iter::from_fn(|| reader.poll_event()));
    assert!(reader.is_over() && reader.poll_event().is_none());
    (events, reader.into_open())
}

fn kind() -> impl Strategy<Value = FrameKind> {
    prop_oneof![
        Just(FrameKind::Beat),
        Just(FrameKind::Open),
        Just(FrameKind::Finish),
        Just(FrameKind::End),
        Just(FrameKind::Unknown),
        (0..=239_u8).prop_map(FrameKind::Own),
    ]
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let body = proptest::collection::vec(any::<u8>(), 0..300);
    proptest::collection::vec((kind(), body).prop_map(|(kind, body)| frame(kind, body)), 0..12)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), 0..20)
}

proptest! {
    #[test]
    fn frames_are_the_same_however_their_bytes_are_cut(frames in frames(), at in cuts()) {
        let bytes = sent(&frames);
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        for piece in cut(&bytes, &at) {
            decoder.handle_bytes(piece);
            while let Some(frame) = decoder.poll_frame().unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
    }

    #[test]
    fn a_reader_of_whatever_bytes_ends_once_and_says_the_same_however_they_are_cut(
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(8), Just(23), any::<u8>()], 0..200),
        at in cuts(),
    ) {
        let (events, open) = read(&cut(&bytes, &at));
        let ends = events.iter().filter(|event| matches!(event, Event::End(_))).count();
        prop_assert!(ends == 1 && matches!(events.last(), Some(Event::End(_))), "{:?}", events);
        prop_assert_eq!(read(&[&bytes]), (events, open));
    }

    #[test]
    fn a_listener_of_whatever_frames_hears_what_is_wanted_first_and_nothing_after_the_finish(
        frames in frames(),
        at in cuts(),
    ) {
        let mut bytes = sent(&[Frame::open::<Numbers>(&Since { from: 3 }).unwrap()]);
        bytes.extend_from_slice(&sent(&frames));
        let mut listener = Listener::<Numbers>::default();
        let mut said = Vec::new();
        'heard: for piece in cut(&bytes, &at) {
            listener.handle_bytes(piece);
            loop {
                match listener.poll_said() {
                    Ok(Some(more)) => said.push(more),
                    Ok(None) => break,
                    Err(_) => break 'heard,
                }
            }
        }
        prop_assert_eq!(&said[0], &Said::Open(Since { from: 3 }));
        let finish = said.iter().position(|said| *said == Said::Finish);
        prop_assert!(finish.is_none_or(|place| place + 1 == said.len()));
        prop_assert!(said[1..].iter().all(|said| !matches!(said, Said::Open(_))));
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_goes_on_without_a_gap_and_without_a_repeat(
        most in 1..200_u64,
        place in any::<usize>(),
    ) {
        let from = |first: u64| {
            let numbers = (first..most).map(|number| Frame::of(&number).unwrap());
            let over = End::Finished { outcome: "counted".to_owned() };
            sent(&numbers.chain([Frame::end::<Numbers>(&over)]).collect::<Vec<_>>())
        };
        let whole = from(0);
        let (before, open) = read(&[&whole[..place % whole.len()]]);
        prop_assert_eq!(before.last(), Some(&Event::End(End::LinkLost)));
        let (after, _) = read(&[&from(open.from)]);
        let numbers: Vec<_> = before.iter().chain(&after).filter_map(|event| match event {
            Event::Item(number) => Some(*number),
            Event::End(_) => None,
        }).collect();
        prop_assert_eq!(numbers, (0..most).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_follows_the_end_and_what_a_newer_build_adds_is_left_out() {
    let over = Frame::end::<Numbers>(&End::Canceled);
    let bytes = sent(&[
        Frame::BEAT,
        frame(FrameKind::Unknown, vec![1, 2, 3]),
        frame(FrameKind::Own(99), vec![1, 2, 3]),
        Frame::of(&4_u64).unwrap(),
        over,
        Frame::of(&5_u64).unwrap(),
    ]);
    assert_eq!(
        read(&[&bytes]),
        (vec![Event::Item(4), Event::End(End::Canceled)], Since { from: 5 })
    );
}

#[test]
fn a_frame_that_claims_too_much_is_refused_before_anything_is_kept_for_it() {
    let mut decoder = Decoder::default();
    decoder.handle_bytes(&[0xff, 0xff, 0xff, 0xff, 16]);
    assert_eq!(decoder.poll_frame(), Err(Malformed::TooLong(0xffff_ffff)));
    assert!(decoder.poll_frame().is_err(), "and again");
    let longest = frame(FrameKind::Own(0), vec![7; LONGEST_BODY]);
    decoder = Decoder::default();
    decoder.handle_bytes(&longest.to_bytes().unwrap());
    assert_eq!(decoder.poll_frame(), Ok(Some(longest)));
    let longer = frame(FrameKind::Own(0), vec![7; LONGEST_BODY + 1]);
    assert_eq!(longer.to_bytes(), Err(Malformed::TooLong(LONGEST_BODY + 1)));
}

#[test]
fn what_is_wanted_is_said_first_and_once() {
    let hear = |frames: &[Frame]| {
        let mut listener = Listener::<Numbers>::default();
        listener.handle_bytes(&sent(frames));
        std::iter::from_fn(|| listener.poll_said().transpose())
            .take(5)
            .last()
    };
    let open = Frame::open::<Numbers>(&Since { from: 0 }).unwrap();
    let number = Frame::of(&1_u64).unwrap();
    assert_eq!(
        hear(std::slice::from_ref(&number)),
        Some(Err(Malformed::OutOfTurn))
    );
    assert_eq!(hear(&[Frame::FINISH]), Some(Err(Malformed::OutOfTurn)));
    assert_eq!(
        hear(&[open.clone(), open.clone()]),
        Some(Err(Malformed::OutOfTurn))
    );
    assert_eq!(hear(&[open.clone(), number]), Some(Ok(Said::Up(1))));
    assert_eq!(hear(&[open, Frame::FINISH]), Some(Ok(Said::Finish)));
}

#[test]
fn ends_are_written_in_these_words_and_an_end_of_the_future_is_unknown() {
    let ends: [End<u8>; 7] = [
        End::Finished { outcome: 3 },
        Code::LinkBusy.because("too many").into(),
        End::LinkLost,
        End::NotAllowed,
        End::TooSlow,
        End::Canceled,
        End::Stopping,
    ];
    let lines: Vec<_> = ends
        .iter()
        .map(|end| serde_json::to_string(end).unwrap())
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    for (line, end) in lines.iter().zip(ends) {
        assert_eq!(serde_json::from_str::<End<u8>>(line).unwrap(), end);
    }
    let newer: End<u8> = serde_json::from_str(r#"{"end":"eclipse","until":7}"#).unwrap();
    assert!(newer == End::Unknown && !newer.can_go_on());
}

#[test]
fn an_outcome_that_is_too_long_for_a_frame_still_ends_the_stream() {
    let over = End::Finished {
        outcome: "x".repeat(LONGEST_BODY),
    };
    let (events, _) = read(&[&sent(&[Frame::end::<Numbers>(&over)])]);
    let [Event::End(End::Failed { problem })] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(problem.code, Code::TooLarge);
}
