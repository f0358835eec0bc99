//! Links that begin and end, and the presence of devices that follows from them.

use super::{LinkUp, State};
use flotilla_fleet::{Life, PresenceState};
use flotilla_protocol::{Timestamp, agent::Pong, device::LinkDrop, id::DeviceId};
use std::time::Instant;

/// A clock skew that differs by more than this from the one before means that a clock was set, the device's or
/// control's. Drift between two measurements is less, and an answer takes 10 s at most.
const SET_SECONDS: u64 = 10;

impl State {
    /// Starts the time that every enrolled device has to come back after control started.
    pub(super) fn expect_all(&mut self, now: Instant) {
        for (id, entry) in &mut self.devices {
            if entry.life() == Life::Enrolled {
                self.presence.handle_known(*id, now);
                entry.presence = self.presence.state(*id);
            }
        }
        while self.presence.poll_change().is_some() {}
    }

    /// Starts the time that a device has for its first link after it enrolled.
    pub(crate) fn expect(&mut self, id: DeviceId, moment: (Timestamp, Instant)) {
        self.presence.handle_known(id, moment.1);
        self.take_changes(moment.0);
    }

    /// Notes a new link; answers the presence that the device had before.
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

    /// Publishes the device's paths, and relays when it is one: both depend on its presence.
    fn presence_changed(&mut self, id: DeviceId, now: Timestamp) {
        self.publish_paths_of(id, now);
        if self.maps.relays().iter().any(|relay| relay.id.0 == id.0) {
            self.publish_relays(now);
        }
    }

    /// Notes a measured round trip and clock skew. Published at once are the first measurement and a clock that was
    /// set; other values are shown with the device's next change.
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

    /// Notes that the newest link of a device ended.
    pub(crate) fn link_down(&mut self, id: DeviceId, number: u64, drop: LinkDrop, now: Instant) {
        let at = drop.at;
        self.presence.handle_down(id, number, now);
        self.note(id, |entry| {
            entry.link = None;
            entry.last_drop = Some(drop);
        });
        self.take_changes(at);
    }

    /// Marks a revoked device as offline at once, without waiting for a link.
    pub(crate) fn link_unwanted(&mut self, id: DeviceId) {
        self.presence.handle_gone(id);
        self.note(id, |entry| entry.presence = PresenceState::Offline);
    }

    /// Applies what is due by now; answers the devices that count as offline from now on.
    pub(crate) fn time_passed(&mut self, moment: (Timestamp, Instant)) -> Vec<DeviceId> {
        self.announce_due(moment.0);
        self.presence.handle_timeout(moment.1);
        self.take_changes(moment.0)
    }

    /// When [`State::time_passed`] changes something next.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.presence.poll_timeout().map(|(at, _)| at)
    }

    /// Applies and publishes changes of presence; answers the devices that went offline.
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
            let device = state.view(entry, &flotilla_protocol::api::Scope::All, now);
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

    #[tokio::test]
    async fn whatever_time_a_device_says_it_is_its_row_can_be_read() {
        let nas = peer("nas", 1);
        let bed = Testbed::with(crate::Ui::None, vec![nas.clone()]).await;
        let (id, now) = (nas.row.id, bed.core.clock.now());
        let good = serde_json::json!({ "sent_at": now });
        let said = crate::testbed::spoil::all(&good);
        let said = said.iter().map(ToString::to_string);
        let read: Vec<Pong> = said.filter_map(|line| serde_json::from_str(&line).ok()).collect();
        assert!(read.len() > 3, "{read:?}");
        for pong in read {
            bed.core.cache.lock().answered(id, 1.0, pong, now);
            bed.get::<flotilla_protocol::device::Device>("/devices/nas").await;
        }
    }
}
