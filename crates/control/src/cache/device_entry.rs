//! One device in memory: its record, its newest token, its link, and the last that was heard of it.

use super::{
    announcement::Announcement,
    attention::{attention, mode_mismatch},
    paths::ReportedPath,
};
use crate::{
    pace::Pace,
    store::{DeviceRow, LastReport, TokenRow, Tunnel},
};
use flotilla_fleet::{Life, PresenceState};
use flotilla_protocol::{
    Timestamp,
    api::{Enrollment, EnrollmentState, Row, UnreachableDevice},
    device::{ContainerCounts, Device, DeviceStatus, LinkDrop, LinkFacts},
    id::DeviceId,
    inventory::{ContainerState, EngineState, Trouble},
};
use jiff::SignedDuration;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use tokio::sync::Notify;

/// Bytes of reports that a device may send a second, and at once. An inventory of 2,000 containers has about 2 MB and
/// is told once per link; everything else is small.
const REPORT_RATE: u32 = 1 << 20;
const REPORT_BURST: u32 = 8 << 20;

/// Frames that a device may cause a second, and at once. Pages follow that; for a device that causes more, they load its
/// rows again whole.
const FRAME_RATE: u32 = 100;
const FRAME_BURST: u32 = 512;

/// A live link, as far as people are shown it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkUp {
    pub(crate) since: Timestamp,
    pub(crate) remote: String,
    /// Once it was measured.
    pub(crate) rtt_ms: Option<f32>,
}

#[derive(Debug, Clone)]
pub(crate) struct DeviceEntry {
    pub(crate) row: DeviceRow,
    pub(crate) token: Option<TokenRow>,
    pub(crate) last_report: LastReport,
    pub(crate) link: Option<LinkUp>,
    pub(crate) last_drop: Option<LinkDrop>,
    /// What control keeps so that it can dial control.
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) presence: PresenceState,
    /// What of that others are told.
    pub(super) announcement: Announcement,
    /// How it last said to reach its peers.
    pub(super) paths: BTreeMap<DeviceId, ReportedPath>,
    /// When it last said so.
    pub(super) paths_reported: Option<Timestamp>,
    /// Its network map may be another one now.
    pub(crate) map_changed: Arc<Notify>,
    /// How fast it may tell, in bytes.
    pub(super) report_pace: Pace,
    /// How fast its changes are shown to pages, in frames.
    pub(super) frame_pace: Pace,
}

impl DeviceEntry {
    pub(crate) fn new(row: DeviceRow, token: Option<TokenRow>, last_report: LastReport) -> Self {
        Self {
            row,
            token,
            announcement: Announcement::of(&last_report),
            last_report,
            link: None,
            last_drop: None,
            tunnel: None,
            presence: PresenceState::Offline,
            paths: BTreeMap::new(),
            paths_reported: None,
            map_changed: Arc::default(),
            report_pace: Pace::new(REPORT_RATE, REPORT_BURST),
            frame_pace: Pace::new(FRAME_RATE, FRAME_BURST),
        }
    }

    pub(crate) fn life(&self) -> Life {
        Life::of(self.row.enrolled.is_some(), self.row.revoked.is_some())
    }

    pub(crate) fn status(&self) -> DeviceStatus {
        match (self.life(), self.presence) {
            (Life::Revoked, _) => DeviceStatus::Revoked,
            (Life::Pending, _) => DeviceStatus::Pending,
            _ if self.row.is_contested() => DeviceStatus::Quarantined,
            (Life::Enrolled, PresenceState::Online) => DeviceStatus::Online,
            (Life::Enrolled, PresenceState::Reconnecting) => DeviceStatus::Reconnecting,
            (Life::Enrolled, PresenceState::Offline) => match &self.row.imposter {
                Some(other) if Some(other.at) >= self.row.last_seen => DeviceStatus::Quarantined,
                _ => DeviceStatus::Offline,
            },
        }
    }

    /// Until when a token of this device enrolls, if one can.
    pub(crate) fn offered_until(&self) -> Option<Timestamp> {
        self.waiting_token().map(|token| token.expires)
    }

    /// The token that can still enroll, whatever the time.
    fn waiting_token(&self) -> Option<&TokenRow> {
        self.token
            .as_ref()
            .filter(|token| token.used.is_none() && token.withdrawn.is_none())
    }

    /// The moment for which everything known of the device is true.
    pub(crate) fn as_of(&self, now: Timestamp) -> Timestamp {
        if self.link.is_some() {
            now
        } else {
            self.row.last_seen.unwrap_or(self.row.created)
        }
    }

    /// As people see it; `range` is the mesh's.
    pub(super) fn view(&self, now: Timestamp, range: &str) -> Device {
        let (row, last_report) = (&self.row, &self.last_report);
        Device {
            id: row.id,
            name: row.name.clone(),
            status: self.status(),
            cordoned: false,
            draining: false,
            attention: attention(row, last_report, range),
            mesh_ip: row.mesh_ip,
            mode: row.mode,
            relay: row.relay,
            tags: row.tags.clone(),
            this_computer: row.this_computer,
            agent_version: last_report.agent_version.clone(),
            last_seen: self.link.as_ref().map(|_| now).or(row.last_seen),
            as_of: self.as_of(now),
            created: row.created,
            token_expires: self.offered_until().filter(|expires| *expires > now),
            enrolled: row.enrolled,
            certificate: row
                .incoming
                .as_ref()
                .or(row.credential.as_ref())
                .map(|held| held.certificate.clone()),
            facts: last_report.facts.clone(),
            usage: last_report.usage,
            engine: last_report.engine.clone(),
            containers: self.container_counts(),
            link: LinkFacts {
                since: self.link.as_ref().map(|link| link.since),
                remote: self.link.as_ref().map(|link| link.remote.clone()),
                rtt_ms: self.link.as_ref().and_then(|link| link.rtt_ms),
                clock_skew_seconds: last_report.clock_skew_seconds,
                tunneled: self.is_tunneled(),
                last_drop: self.last_drop.clone(),
            },
            mesh: last_report.mesh.clone(),
            is_relay: row.relaying.is_some(),
            host_kept: row.host_kept,
            vouched: row.vouched,
            endpoint_trials: last_report.endpoint_trials.clone(),
        }
    }

    /// One thing on this device as a row of a list over all devices.
    pub(crate) fn row<T>(&self, item: T, now: Timestamp) -> Row<T> {
        Row {
            device: self.row.name.clone(),
            device_id: self.row.id,
            item,
            as_of: self.rows_as_of(now),
        }
    }

    /// The same for what its engine holds: while the engine can't be used, that is as old as the engine's silence.
    fn rows_as_of(&self, now: Timestamp) -> Timestamp {
        let as_of = self.as_of(now);
        let Some(since) = self.last_report.engine.as_ref().and_then(EngineState::since) else {
            return as_of;
        };
        let skew = SignedDuration::from_secs(self.last_report.clock_skew_seconds.unwrap_or(0));
        since.checked_sub(skew).unwrap_or(since).min(as_of)
    }

    /// Why the device's rows may be old; `None` while they are kept current, and before it ever had any.
    pub(crate) fn unreachable(&self, moment: impl Fn(Timestamp) -> String) -> Option<UnreachableDevice> {
        let seen = self.row.last_seen.map(moment);
        let name = &self.row.name;
        let reason = match (self.status(), seen) {
            (DeviceStatus::Online | DeviceStatus::Pending | DeviceStatus::Revoked, _) => return None,
            (DeviceStatus::Reconnecting, Some(seen)) => {
                format!("{name} is reconnecting. It was last seen {seen}.")
            }
            (DeviceStatus::Reconnecting, None) => format!("{name} is reconnecting."),
            (DeviceStatus::Quarantined, _) => {
                format!("{name} is quarantined: another machine presents its identity.")
            }
            (_, Some(seen)) => format!("{name} is offline. It was last seen {seen}."),
            (_, None) => format!("{name} is offline. It was not seen yet."),
        };
        Some(UnreachableDevice {
            device: name.clone(),
            reason,
        })
    }

    /// Why what its engine held is shown as it was; `None` while the engine tells, and where it held nothing.
    pub(crate) fn silent_engine(&self) -> Option<UnreachableDevice> {
        let reason = self.last_report.engine.as_ref()?.reason()?;
        let name = &self.row.name;
        (self.last_report.inventory.len() > 0).then(|| UnreachableDevice {
            device: name.clone(),
            reason: format!("{name}'s containers and all else are shown as they were: {reason}"),
        })
    }

    pub(crate) fn enrollment(&self, now: Timestamp) -> Option<Enrollment> {
        let token = self.token.as_ref()?;
        let state = if token.used.is_some() {
            EnrollmentState::Done
        } else if token.withdrawn.is_some() {
            EnrollmentState::Withdrawn
        } else if token.expires <= now {
            EnrollmentState::Expired
        } else {
            EnrollmentState::Waiting
        };
        Some(Enrollment {
            device_id: token.device_id,
            state,
            created: token.created,
            expires: token.expires,
            stages: token.stages.clone(),
            failure: token.failure.clone(),
        })
    }

    /// What comes through a tunnel comes from this very computer.
    fn is_tunneled(&self) -> bool {
        let remote = self.link.as_ref().and_then(|link| link.remote.parse().ok());
        self.tunnel.is_some() && remote.is_some_and(|remote: IpAddr| remote.is_loopback())
    }

    /// Its agent is not in the network of its mode.
    pub(crate) fn has_mode_mismatch(&self) -> bool {
        mode_mismatch(&self.row, &self.last_report).is_some()
    }

    fn container_counts(&self) -> ContainerCounts {
        let mut counts = ContainerCounts::default();
        for container in self
            .last_report
            .inventory
            .containers()
            .values()
            .map(|kept| &kept.item)
        {
            counts.total += 1;
            counts.running += u32::from(container.state == ContainerState::Running);
            let trouble = container.trouble();
            counts.unhealthy += u32::from(trouble == Some(Trouble::Unhealthy));
            counts.troubled += u32::from(trouble.is_some());
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Imposter,
        tests::{device, moment},
    };
    use flotilla_protocol::inventory::Item;

    fn enrolled() -> DeviceEntry {
        let mut row = device("nas", 1);
        row.enrolled = Some(moment(1));
        row.last_seen = Some(moment(5));
        DeviceEntry::new(row, None, LastReport::default())
    }

    #[test]
    fn status_follows_trust_first_and_the_link_then() {
        let mut entry = DeviceEntry::new(device("nas", 1), None, LastReport::default());
        assert_eq!(entry.status(), DeviceStatus::Pending);
        entry = enrolled();
        assert_eq!(entry.status(), DeviceStatus::Offline);
        entry.presence = PresenceState::Reconnecting;
        assert_eq!(entry.status(), DeviceStatus::Reconnecting);
        entry.presence = PresenceState::Online;
        assert_eq!(entry.status(), DeviceStatus::Online);
        entry.row.revoked = Some(moment(7));
        assert_eq!(entry.status(), DeviceStatus::Revoked);
    }

    #[test]
    fn a_device_is_quarantined_while_only_its_copy_was_heard_of() {
        let mut entry = enrolled();
        entry.row.imposter = Some(Imposter {
            hostname: "copy".into(),
            address: "192.0.2.7".into(),
            at: moment(6),
            contests: None,
        });
        assert_eq!(entry.status(), DeviceStatus::Quarantined);
        entry.row.last_seen = Some(moment(7));
        assert_eq!(
            entry.status(),
            DeviceStatus::Offline,
            "the original was there after its copy"
        );
    }

    #[test]
    fn containers_are_counted_by_the_rule_that_says_what_trouble_is() {
        let mut entry = enrolled();
        let container = |id: &str, state: &str, health: &str, exit_code: i64| {
            serde_json::from_value(serde_json::json!({
                "id": id, "name": id, "image": "b", "state": state, "status": "", "health": health, "ports": [],
                "created": "2026-01-01T00:00:00Z", "exit_code": exit_code,
            }))
            .unwrap()
        };
        for container in [
            container("1", "running", "unhealthy", 0),
            container("2", "exited", "unhealthy", 137),
            container("3", "exited", "none", 3),
            container("4", "running", "none", 0),
        ] {
            assert!(entry.last_report.inventory.put(Item::Container(container).into()));
        }
        let counts = entry.container_counts();
        assert_eq!(
            (counts.total, counts.running, counts.unhealthy, counts.troubled),
            (4, 2, 1, 2)
        );
        entry.presence = PresenceState::Online;
        assert!(entry.view(moment(7), "100.64.0.0/16").needs_attention());
        entry.presence = PresenceState::Reconnecting;
        assert!(!entry.view(moment(7), "100.64.0.0/16").needs_attention());
    }

    #[test]
    fn rows_of_a_device_that_is_away_are_as_old_as_its_last_sign() {
        let mut entry = enrolled();
        assert_eq!(entry.as_of(moment(100)), moment(5));
        let unreachable = entry.unreachable(|_| "at 09:12".into()).unwrap();
        assert_eq!(unreachable.reason, "nas is offline. It was last seen at 09:12.");
        entry.link = Some(LinkUp {
            since: moment(6),
            remote: "192.0.2.7".into(),
            rtt_ms: None,
        });
        entry.presence = PresenceState::Online;
        assert_eq!(entry.as_of(moment(100)), moment(100));
        assert_eq!(entry.unreachable(|_| String::new()), None);
    }

    #[test]
    fn rows_are_as_old_as_the_silence_of_their_engine_although_the_device_is_online() {
        let mut entry = enrolled();
        entry.link = Some(LinkUp {
            since: moment(6),
            remote: "192.0.2.7".into(),
            rtt_ms: None,
        });
        entry.last_report.engine = Some(EngineState::Unfit {
            reason: "It does not answer.".into(),
            since: Some(moment(50)),
        });
        assert_eq!(entry.row((), moment(100)).as_of, moment(50));
        assert_eq!(
            entry.as_of(moment(100)),
            moment(100),
            "the device itself is heard"
        );
        entry.last_report.clock_skew_seconds = Some(-20);
        assert_eq!(
            entry.row((), moment(100)).as_of,
            moment(70),
            "the device's clock is behind"
        );
        entry.last_report.clock_skew_seconds = Some(-3600);
        assert_eq!(entry.row((), moment(100)).as_of, moment(100));
        assert_eq!(entry.silent_engine(), None, "it held nothing");
        let volume = serde_json::json!({"kind": "volume", "name": "a", "driver": "local", "used_by": []});
        let volume: Item = serde_json::from_value(volume).unwrap();
        assert!(entry.last_report.inventory.put(volume.into()));
        assert!(
            entry
                .silent_engine()
                .unwrap()
                .reason
                .ends_with("It does not answer.")
        );
    }
}
