//! The live stream: numbered frames that keep open pages current.
//!
//! Frames are made under the cache's lock, so their order is the order of changes and a list can say which
//! frames it already contains. A frame becomes text once, and only while a page reads.

use axum::extract::ws::Utf8Bytes;
use flotilla_protocol::api::{LiveFrame, Resource, ResourceRef};
use std::collections::VecDeque;
use tokio::sync::watch;

/// Frames that a slow reader may be behind before it is told to load its page again: a few seconds of a busy fleet.
const BACKLOG: usize = 1024;

/// Bytes that a slow reader may be behind. Most frames have less than 1 KB, but those of a device's largest things have
/// far more.
const BACKLOG_BYTES: usize = 8 << 20;

/// The last frames, numbered without gaps.
#[derive(Debug, Default)]
struct Backlog {
    frames: VecDeque<(u64, Utf8Bytes)>,
    bytes: usize,
}

impl Backlog {
    fn push(&mut self, seq: u64, frame: Utf8Bytes) {
        self.bytes += frame.len();
        self.frames.push_back((seq, frame));
        while self.frames.len() > BACKLOG || (self.bytes > BACKLOG_BYTES && self.frames.len() > 1) {
            let oldest = self.frames.pop_front();
            self.bytes -= oldest.map_or(0, |(_, frame)| frame.len());
        }
    }

    /// The oldest kept frame after a number. That is the next frame, unless that one was dropped already.
    fn after(&self, seq: u64) -> Option<&(u64, Utf8Bytes)> {
        let (oldest, _) = self.frames.front()?;
        let place = (seq + 1).saturating_sub(*oldest);
        self.frames.get(usize::try_from(place).ok()?)
    }
}

/// The writing end, which is part of the cache.
#[derive(Debug)]
pub(crate) struct Live {
    seq: u64,
    backlog: watch::Sender<Backlog>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            seq: 0,
            backlog: watch::Sender::default(),
        }
    }

    /// The number of the last frame.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) fn upsert(&mut self, resource: impl FnOnce() -> Resource) {
        self.publish(|frame| frame.upsert = Some(resource()));
    }

    pub(crate) fn remove(&mut self, gone: ResourceRef) {
        self.publish(|frame| frame.remove = Some(gone));
    }

    /// Makes every page load again what it shows.
    pub(crate) fn reset(&mut self) {
        self.publish(|frame| frame.reset = true);
    }

    pub(crate) fn subscribe(&self) -> Reader {
        Reader {
            backlog: self.backlog.subscribe(),
            seq: self.seq,
            begun: false,
        }
    }

    pub(crate) fn readers(&self) -> usize {
        self.backlog.receiver_count()
    }

    fn publish(&mut self, fill: impl FnOnce(&mut LiveFrame)) {
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
        fill(&mut frame);
        let text = text(&frame);
        self.backlog.send_modify(|backlog| backlog.push(self.seq, text));
    }
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Reader {
    backlog: watch::Receiver<Backlog>,
    /// The number of the last frame that was read; at first, of the last frame before the subscription.
    seq: u64,
    begun: bool,
}

impl Reader {
    /// The next frame as JSON: first a `reset`, and another one after frames were missed. `None` when control stops.
    /// Cancel safe: a read that is dropped before it ends has read nothing.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(reset(self.seq));
        }
        let read = self.seq;
        let backlog = self
            .backlog
            .wait_for(|backlog| backlog.after(read).is_some())
            .await
            .ok()?;
        let (seq, frame) = backlog.after(read)?;
        if *seq > read + 1 {
            self.seq = seq - 1;
            return Some(reset(self.seq));
        }
        self.seq = *seq;
        Some(frame.clone())
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
    use flotilla_protocol::{id::DeviceId, inventory::Kind};
    use futures_util::FutureExt;

    fn gone() -> ResourceRef {
        let device_id: DeviceId = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
        ResourceRef::Device { device_id }
    }

    async fn next(reader: &mut Reader) -> LiveFrame {
        serde_json::from_str(&reader.next().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_reader_starts_with_a_reset_and_sees_every_later_frame_in_order() {
        let mut live = Live::new();
        live.remove(gone());
        let mut reader = live.subscribe();
        live.remove(gone());
        live.remove(gone());
        let first = next(&mut reader).await;
        assert!(first.reset && first.seq == 1);
        assert_eq!(next(&mut reader).await.seq, 2);
        assert_eq!(next(&mut reader).await.seq, 3);
        drop(live);
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_beat_has_the_number_of_the_frame_before_it_and_changes_nothing() {
        let mut live = Live::new();
        let mut reader = live.subscribe();
        let beat = |reader: &Reader| serde_json::from_str::<LiveFrame>(&reader.beat()).unwrap();
        live.remove(gone());
        next(&mut reader).await;
        assert_eq!(beat(&reader).seq, 0);
        assert!(!next(&mut reader).await.is_beat());
        assert!(beat(&reader).is_beat());
        assert_eq!(beat(&reader).seq, 1);
    }

    #[tokio::test]
    async fn a_reader_that_missed_frames_is_told_to_load_again_and_then_goes_on() {
        let mut live = Live::new();
        let mut reader = live.subscribe();
        for _ in 0..BACKLOG + 5 {
            live.remove(gone());
        }
        assert!(next(&mut reader).await.reset);
        let again = next(&mut reader).await;
        assert!(again.reset && again.seq == 5);
        assert_eq!(next(&mut reader).await.seq, 6);
        assert_eq!(next(&mut reader).await.seq, 7);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_has_read_nothing() {
        let mut live = Live::new();
        let mut reader = live.subscribe();
        next(&mut reader).await;
        for seq in 1..=50 {
            // The read is dropped, as when a beat or a message of the page comes first.
            assert_eq!(reader.next().now_or_never(), None);
            let mut waiting = Box::pin(reader.next());
            assert!(futures_util::poll!(&mut waiting).is_pending());
            live.remove(gone());
            drop(waiting);
            let beat: LiveFrame = serde_json::from_str(&reader.beat()).unwrap();
            assert_eq!(beat.seq, seq - 1, "the page is told how far it has read");
            assert_eq!(next(&mut reader).await.seq, seq);
        }
    }

    #[test]
    fn nothing_is_written_without_a_reader() {
        let mut live = Live::new();
        live.upsert(|| unreachable!("no reader, no text"));
        assert_eq!(live.seq(), 1);
    }

    #[tokio::test]
    async fn a_reader_that_is_too_many_bytes_behind_is_told_to_load_again() {
        let mut live = Live::new();
        let mut reader = live.subscribe();
        assert!(next(&mut reader).await.reset);
        let large = || ResourceRef::Item {
            device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            of: Kind::Network,
            key: "k".repeat(BACKLOG_BYTES / 4),
        };
        for _ in 0..10 {
            live.remove(large());
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
        let mut live = Live::new();
        let mut reader = live.subscribe();
        live.remove(gone());
        drop(reader);
        live.remove(gone());
        assert!(live.backlog.borrow().frames.is_empty());
        reader = live.subscribe();
        assert_eq!(next(&mut reader).await.seq, 2);
        live.remove(gone());
        assert_eq!(next(&mut reader).await.seq, 3);
    }
}
