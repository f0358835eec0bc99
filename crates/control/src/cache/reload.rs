//! Changes that are too many to be published one by one: open pages are made to load again, every half minute at most.
//!
//! In a large fleet some device always comes or goes, and a device may change faster than a person can read. So each
//! device has a pace at which its changes become frames. Changes beyond it are in the lists, which pages load when they
//! are made to.

use super::State;
use flotilla_protocol::{Timestamp, id::DeviceId};
use jiff::SignedDuration;

/// The least time between two reloads.
const RESET_PACE: SignedDuration = SignedDuration::from_secs(30);

/// Whether pages must load again, and when they last did.
#[derive(Debug, Default)]
pub(super) struct PageReload {
    is_wanted: bool,
    /// When pages were last made to load again.
    last: Option<Timestamp>,
}

impl PageReload {
    pub(super) fn request(&mut self) {
        self.is_wanted = true;
    }

    /// Whether pages must load again now. Answers true once per request.
    fn take_due(&mut self, now: Timestamp) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| now.duration_since(last).abs() >= RESET_PACE);
        if !self.is_wanted || !is_due {
            return false;
        }
        self.is_wanted = false;
        self.last = Some(now);
        true
    }
}

impl State {
    /// Whether so many frames about a device may be published now. If not, a reload is requested in their place.
    pub(super) fn may_show(&mut self, id: DeviceId, frames: usize, now: Timestamp) -> bool {
        if self.live.readers() == 0 {
            return true;
        }
        let Some(entry) = self.devices.get_mut(&id) else {
            return true;
        };
        let may = entry.frame_pace.take(frames as u64, now);
        if !may {
            self.page_reload.request();
        }
        may
    }

    /// Makes pages load again if changes were left out and the last reload is long enough ago.
    pub(crate) fn reload_pages_when_due(&mut self, now: Timestamp) {
        if self.page_reload.take_due(now) {
            self.live.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_load_again_for_what_they_were_not_told_and_not_all_the_time() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let mut reload = PageReload::default();
        assert!(!reload.take_due(at(0)), "nothing was left out");
        reload.request();
        assert!(reload.take_due(at(0)));
        reload.request();
        assert!(!reload.take_due(at(29)));
        assert!(reload.take_due(at(30)));
        assert!(!reload.take_due(at(90)));
    }
}
