//! The live stream: numbered frames that keep open pages current.
//!
//! Frames are made under the cache's lock, so their order is the order of changes and a list can say which
//! frames it already contains. A frame becomes text once, and only while a page reads.
//!
//! Each frame has an audience. A reader of a part of the fleet is given the frames of that part; of other frames it
//! learns no more than that the numbers go on.

mod audience;

pub(crate) use audience::{Audience, Naming, Place, Removal, Upsert};

use audience::{InPart, Reading};
use axum::extract::ws::Utf8Bytes;
use flotilla_protocol::api::{LiveFrame, Scope};
use std::collections::VecDeque;
use tokio::sync::watch;

/// Frames that a slow reader may be behind before it is told to load its page again: a few seconds of a busy fleet.
const BACKLOG: usize = 1024;

/// Bytes that a slow reader may be behind. Most frames have less than 1 KB, but those of a device's largest things have
/// far more.
const BACKLOG_BYTES: usize = 8 << 20;

/// A frame as it is kept for readers.
#[derive(Debug)]
struct Frame {
    seq: u64,
    audience: Audience,
    /// What readers of the whole fleet are sent.
    text: Utf8Bytes,
    /// What readers of a part of it are sent, where that is something else.
    in_part: Option<InPart>,
}

impl Frame {
    /// What a reader of this scope is sent; `None` when the frame is not for it.
    fn text_for(&self, scope: &Scope) -> Option<Utf8Bytes> {
        match (self.audience.reading(scope), &self.in_part) {
            (Reading::Skip, _) => None,
            (Reading::Reload, _) => Some(reset(self.seq)),
            (Reading::Take, Some(in_part)) if !scope.is_all() => Some(text(&LiveFrame {
                seq: self.seq,
                upsert: Some(in_part.tell(scope)),
                ..LiveFrame::default()
            })),
            (Reading::Take, _) => Some(self.text.clone()),
        }
    }
}

/// The last frames, numbered without gaps.
#[derive(Debug, Default)]
struct Backlog {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Backlog {
    fn push(&mut self, frame: Frame) {
        self.bytes += frame.text.len();
        self.frames.push_back(frame);
        while self.frames.len() > BACKLOG || (self.bytes > BACKLOG_BYTES && self.frames.len() > 1) {
            let oldest = self.frames.pop_front();
            self.bytes -= oldest.map_or(0, |frame| frame.text.len());
        }
    }

    /// The oldest kept frame after a number. That is the next frame, unless that one was dropped already.
    fn after(&self, seq: u64) -> Option<&Frame> {
        let oldest = self.frames.front()?.seq;
        let place = (seq + 1).saturating_sub(oldest);
        self.frames.get(usize::try_from(place).ok()?)
    }
}

/// The writing end, which is part of the cache.
#[derive(Debug, Default)]
pub(crate) struct Live {
    seq: u64,
    backlog: watch::Sender<Backlog>,
}

impl Live {
    /// The number of the last frame.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) fn upsert(&mut self, thing: impl FnOnce() -> Upsert) {
        self.publish(|frame| {
            let thing = thing();
            frame.upsert = Some(thing.resource);
            (thing.audience, thing.in_part)
        });
    }

    pub(crate) fn remove(&mut self, removal: impl FnOnce() -> Removal) {
        self.publish(|frame| {
            let removal = removal();
            frame.remove = Some(removal.gone);
            (removal.audience, None)
        });
    }

    /// Makes every page load again what it shows.
    pub(crate) fn reset(&mut self) {
        self.publish(|frame| {
            frame.reset = true;
            (Audience::Everybody, None)
        });
    }

    /// A reader of the frames from now on that tell of what is in `scope`.
    pub(crate) fn subscribe(&self, scope: Scope) -> Reader {
        Reader {
            backlog: self.backlog.subscribe(),
            scope,
            seq: self.seq,
            begun: false,
        }
    }

    pub(crate) fn readers(&self) -> usize {
        self.backlog.receiver_count()
    }

    fn publish(&mut self, fill: impl FnOnce(&mut LiveFrame) -> (Audience, Option<InPart>)) {
        self.seq += 1;
        if self.readers() == 0 {
            // Nothing needs to be kept: the next reader begins after this frame.
            if !self.backlog.borrow().frames.is_empty() {
                self.backlog.send_replace(Backlog::default());
            }
            return;
        }
        let mut frame = LiveFrame {
            seq: self.seq,
            ..LiveFrame::default()
        };
        let (audience, in_part) = fill(&mut frame);
        let frame = Frame {
            seq: self.seq,
            audience,
            text: text(&frame),
            in_part,
        };
        self.backlog.send_modify(|backlog| backlog.push(frame));
    }
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Reader {
    backlog: watch::Receiver<Backlog>,
    /// What the reader may view.
    scope: Scope,
    /// The number of the last frame that was read; at first, of the last frame before the subscription.
    seq: u64,
    begun: bool,
}

impl Reader {
    /// The next frame of the reader's scope as JSON: first a `reset`, and another one after frames were missed. `None`
    /// when control stops. Cancel safe: a read that is dropped before it ends has read nothing.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(reset(self.seq));
        }
        loop {
            let read = self.seq;
            let backlog = self
                .backlog
                .wait_for(|backlog| backlog.after(read).is_some())
                .await
                .ok()?;
            let frame = backlog.after(read)?;
            if frame.seq > read + 1 {
                self.seq = frame.seq - 1;
                return Some(reset(self.seq));
            }
            self.seq = frame.seq;
            if let Some(text) = frame.text_for(&self.scope) {
                return Some(text);
            }
        }
    }

    /// A frame without a change, which shows that the stream lives.
    pub(crate) fn beat(&self) -> Utf8Bytes {
        text(&LiveFrame {
            seq: self.seq,
            ..LiveFrame::default()
        })
    }
}

fn reset(seq: u64) -> Utf8Bytes {
    text(&LiveFrame {
        seq,
        reset: true,
        ..LiveFrame::default()
    })
}

/// Frames always have a JSON form: their maps have text keys.
fn text(frame: &LiveFrame) -> Utf8Bytes {
    serde_json::to_string(frame).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::{api::ResourceRef, id::DeviceId, inventory::Kind};
    use futures_util::FutureExt;

    fn id() -> DeviceId {
        "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()
    }

    fn gone() -> Removal {
        Removal::new(Audience::Everybody, ResourceRef::Device { device_id: id() })
    }

    async fn next(reader: &mut Reader) -> LiveFrame {
        serde_json::from_str(&reader.next().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_reader_starts_with_a_reset_and_sees_every_later_frame_in_order() {
        let mut live = Live::default();
        live.remove(gone);
        let mut reader = live.subscribe(Scope::All);
        live.remove(gone);
        live.remove(gone);
        let first = next(&mut reader).await;
        assert!(first.reset && first.seq == 1);
        assert_eq!(next(&mut reader).await.seq, 2);
        assert_eq!(next(&mut reader).await.seq, 3);
        drop(live);
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_beat_has_the_number_of_the_frame_before_it_and_changes_nothing() {
        let mut live = Live::default();
        let mut reader = live.subscribe(Scope::All);
        let beat = |reader: &Reader| serde_json::from_str::<LiveFrame>(&reader.beat()).unwrap();
        live.remove(gone);
        next(&mut reader).await;
        assert_eq!(beat(&reader).seq, 0);
        assert!(!next(&mut reader).await.is_beat());
        assert!(beat(&reader).is_beat());
        assert_eq!(beat(&reader).seq, 1);
    }

    #[tokio::test]
    async fn a_reader_that_missed_frames_is_told_to_load_again_and_then_goes_on() {
        let mut live = Live::default();
        let mut reader = live.subscribe(Scope::All);
        for _ in 0..BACKLOG + 5 {
            live.remove(gone);
        }
        assert!(next(&mut reader).await.reset);
        let again = next(&mut reader).await;
        assert!(again.reset && again.seq == 5);
        assert_eq!(next(&mut reader).await.seq, 6);
        assert_eq!(next(&mut reader).await.seq, 7);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_has_read_nothing() {
        let mut live = Live::default();
        let mut reader = live.subscribe(Scope::All);
        next(&mut reader).await;
        for seq in 1..=50 {
            // The read is dropped, as when a beat or a message of the page comes first.
            assert_eq!(reader.next().now_or_never(), None);
            let mut waiting = Box::pin(reader.next());
            assert!(futures_util::poll!(&mut waiting).is_pending());
            live.remove(gone);
            drop(waiting);
            let beat: LiveFrame = serde_json::from_str(&reader.beat()).unwrap();
            assert_eq!(beat.seq, seq - 1, "the page is told how far it has read");
            assert_eq!(next(&mut reader).await.seq, seq);
        }
    }

    #[test]
    fn nothing_is_written_without_a_reader() {
        let mut live = Live::default();
        live.upsert(|| unreachable!("no reader, no text"));
        assert_eq!(live.seq(), 1);
    }

    #[tokio::test]
    async fn a_reader_that_is_too_many_bytes_behind_is_told_to_load_again() {
        let mut live = Live::default();
        let mut reader = live.subscribe(Scope::All);
        assert!(next(&mut reader).await.reset);
        let large = || {
            let key = "k".repeat(BACKLOG_BYTES / 4);
            let (device_id, of) = (id(), Kind::Network);
            Removal::new(Audience::Everybody, ResourceRef::Item { device_id, of, key })
        };
        for _ in 0..10 {
            live.remove(large);
        }
        assert!(live.backlog.borrow().bytes <= BACKLOG_BYTES);
        let again = next(&mut reader).await;
        assert!(again.reset && again.seq == 7, "{}", again.seq);
        for seq in 8..=10 {
            assert_eq!(next(&mut reader).await.seq, seq);
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_for_readers_that_left() {
        let mut live = Live::default();
        let mut reader = live.subscribe(Scope::All);
        live.remove(gone);
        drop(reader);
        live.remove(gone);
        assert!(live.backlog.borrow().frames.is_empty());
        reader = live.subscribe(Scope::All);
        assert_eq!(next(&mut reader).await.seq, 2);
        live.remove(gone);
        assert_eq!(next(&mut reader).await.seq, 3);
    }
}
