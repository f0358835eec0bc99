//! Links that come and go, and what that makes of each device's presence.

use super::{LinkUp, State};
use flotilla_fleet::{Life, PresenceState};
use flotilla_protocol::{Timestamp, agent::Pong, device::LinkDrop, id::DeviceId};
use std::time::Instant;

/// A device's clock that is off by so much more or less than before was set, or control's was. What it gains or loses
/// from one answer to the next is less, and an answer takes 10 s at most.
const SET_SECONDS: u64 = 10;

impl State {
    /// Gives every enrolled device the time to come back after control's start.
    pub(super) fn expect_all(&mut self, now: Instant) {
        for (id, entry) in &mut self.devices {
            if entry.life() == Life::Enrolled {
                self.presence.handle_known(*id, now);
                entry.presence = self.presence.state(*id);
            }
        }
        while self.presence.poll_change().is_some() {}
    }

    /// A device enrolled: its link should follow.
    pub(crate) fn expect(&mut self, id: DeviceId, moment: (Timestamp, Instant)) {
        self.presence.handle_known(id, moment.1);
        self.take_changes(moment.0);
    }

    /// A link is up; answers what the device was before.
    pub(crate) fn link_up(&mut self, id: DeviceId, number: u64, link: LinkUp) -> PresenceState {
        let before = self.presence.state(id);
        let now = link.since;
        self.presence.handle_up(id, number);
        self.change(id, now, |entry| {
            entry.link = Some(link);
            entry.row.last_seen = Some(now);
            entry.presence = PresenceState::Online;
        });
        self.take_changes(now);
        if before != PresenceState::Online {
            self.presence_changed(id, now);
        }
        before
    }

    /// Paths and relays are where their ends are.
    fn presence_changed(&mut self, id: DeviceId, now: Timestamp) {
        self.publish_paths_of(id, now);
        if self.maps.relays().iter().any(|relay| relay.id.0 == id.0) {
            self.publish_relays(now);
        }
    }

    /// A device answered. The first figure is news, and a clock that was set; others are shown with the next change.
    pub(crate) fn answered(&mut self, id: DeviceId, rtt_ms: f32, pong: Pong, now: Timestamp) {
        let mut is_news = false;
        self.note(id, |entry| {
            if let Some(link) = &mut entry.link {
                is_news = link.rtt_ms.replace(rtt_ms).is_none();
            }
            if let Some(sent_at) = pong.sent_at {
                let skew = sent_at.as_second() - now.as_second();
                let before = entry.last_report.clock_skew_seconds.replace(skew);
                is_news |= before.is_none_or(|before| before.abs_diff(skew) > SET_SECONDS);
            }
        });
        if is_news {
            self.publish_device(id, now);
        }
    }

    /// The newest link of a device ended.
    pub(crate) fn link_down(&mut self, id: DeviceId, number: u64, drop: LinkDrop, now: Instant) {
        let at = drop.at;
        self.presence.handle_down(id, number, now);
        self.note(id, |entry| {
            entry.link = None;
            entry.last_drop = Some(drop);
        });
        self.take_changes(at);
    }

    /// Nobody waits for a device that was revoked.
    pub(crate) fn link_unwanted(&mut self, id: DeviceId) {
        self.presence.handle_gone(id);
        self.note(id, |entry| entry.presence = PresenceState::Offline);
    }

    /// Time has passed; answers the devices that count as offline since now.
    pub(crate) fn time_passed(&mut self, moment: (Timestamp, Instant)) -> Vec<DeviceId> {
        self.announce_due(moment.0);
        self.presence.handle_timeout(moment.1);
        self.take_changes(moment.0)
    }

    /// When [`State::time_passed`] changes something next.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.presence.poll_timeout().map(|(at, _)| at)
    }

    /// Shows what changed; answers the devices that went offline.
    fn take_changes(&mut self, now: Timestamp) -> Vec<DeviceId> {
        let mut gone = Vec::new();
        while let Some(change) = self.presence.poll_change() {
            let presence = self.devices.get(&change.device).map(|entry| entry.presence);
            if change.state == PresenceState::Offline {
                gone.push(change.device);
            }
            if presence != Some(change.state) {
                self.change(change.device, now, |entry| entry.presence = change.state);
                self.presence_changed(change.device, now);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::{Testbed, peer};
    use flotilla_protocol::device::Attention;
    use jiff::SignedDuration;

    #[tokio::test]
    async fn a_wrong_clock_is_shown_until_it_is_set() {
        let nas = peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let (id, now) = (nas.row.id, bed.core.clock.now());
        let link = LinkUp {
            since: now,
            remote: "192.0.2.7".into(),
            rtt_ms: None,
        };
        bed.core.cache.lock().link_up(id, 1, link);
        let shown = |seconds| {
            let sent_at = Some(now + SignedDuration::from_secs(seconds));
            let mut state = bed.core.cache.lock();
            let before = state.live.seq();
            state.answered(id, 1.0, Pong { sent_at }, now);
            let entry = state.device(id).unwrap();
            let device = state.view(entry, now);
            let skew = device.attention.iter().find_map(|attention| match attention {
                Attention::ClockSkew { seconds } => Some(*seconds),
                _ => None,
            });
            (skew, state.live.seq() > before)
        };
        let years = 5 * 365 * 86_400;
        assert_eq!(shown(years), (Some(years), true));
        assert_eq!(shown(years + 3), (Some(years + 3), false), "it is no news");
        assert_eq!(shown(-years), (Some(-years), true));
        assert_eq!(shown(1), (None, true), "back to normal");
        assert_eq!(shown(2), (None, false));
    }
}
