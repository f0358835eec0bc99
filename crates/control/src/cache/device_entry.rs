//! One device in memory: its record, its newest token, its link, and its last report.

use super::{
    announcement::Announcement,
    attention::{attention, mode_mismatch},
    inbound::ClosedReason,
};
use crate::store::{DeviceRow, LastReport, TokenRow, Tunnel};
use flotilla_fleet::{Life, PresenceState};
use flotilla_pace::{Pace, Rate};
use flotilla_protocol::{
    Timestamp,
    api::{Enrollment, EnrollmentState, Row, UnreachableDevice},
    cidr::Ipv4Net,
    device::{ContainerCounts, Device, DeviceStatus, LinkDrop, LinkFacts, NetworkMode},
    id::DeviceId,
    inventory::{ContainerState, EngineState, Trouble},
    path::PeerPath,
};
use jiff::SignedDuration;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Bytes of reports that a device may send per second, and in a burst. An inventory of 2,000 containers has about 2 MB
/// and is reported once per link; all other reports are small.
const REPORTS: Rate = Rate::per_second(1 << 20, 8 << 20);

/// Live frames that a device may cause per second, and in a burst. Pages keep up with that; when a device causes more,
/// pages load its rows again as a whole.
const FRAMES: Rate = Rate::per_second(100, 512);

/// Jobs of which control does not know and that a device says it has, per day and at once: more than an agent keeps. Each
/// takes the place of an older job and of an older entry of the activity log, which are the other devices', too.
const CLAIMS: Rate = Rate::new(100, Duration::from_secs(86_400), 100);

/// A live link, as far as people are shown it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkUp {
    pub(crate) since: Timestamp,
    pub(crate) remote: String,
    /// `None` until it was measured.
    pub(crate) rtt_ms: Option<f32>,
}

/// The last report of one path.
#[derive(Debug, Clone)]
pub(crate) struct ReportedPath {
    pub(super) path: PeerPath,
    /// When packets of the peer last arrived over it.
    pub(super) carried: Option<Timestamp>,
    /// Its figures changed since they were last published.
    pub(super) has_unshown_figures: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct DeviceEntry {
    pub(crate) row: DeviceRow,
    pub(crate) token: Option<TokenRow>,
    pub(crate) last_report: LastReport,
    pub(crate) link: Option<LinkUp>,
    pub(crate) last_drop: Option<LinkDrop>,
    /// The SSH tunnel that control keeps for a device that can't dial it.
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) presence: PresenceState,
    /// The part of `last_report` that other devices' maps contain.
    pub(super) announcement: Announcement,
    /// The device's last reported path to each peer.
    pub(super) paths: BTreeMap<DeviceId, ReportedPath>,
    /// When the device last reported a path.
    pub(super) paths_reported: Option<Timestamp>,
    /// Notified when the device's network map may have changed, or it may need a relay ticket.
    pub(crate) map_changed: Arc<Notify>,
    /// Limits the bytes of reports that are taken from the device.
    pub(super) report_pace: Pace<Timestamp>,
    /// Limits the live frames about the device.
    pub(super) frame_pace: Pace<Timestamp>,
    /// Limits the jobs that control takes over from the device.
    pub(super) claim_pace: Pace<Timestamp>,
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
            report_pace: Pace::new(REPORTS),
            frame_pace: Pace::new(FRAMES),
            claim_pace: Pace::new(CLAIMS),
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

    /// When the token expires that can still enroll the device; `None` when there is none. It may be past.
    pub(crate) fn offered_until(&self) -> Option<Timestamp> {
        self.waiting_token().map(|token| token.expires)
    }

    /// The newest token, unless it was used or withdrawn. It may have expired.
    fn waiting_token(&self) -> Option<&TokenRow> {
        self.token
            .as_ref()
            .filter(|token| token.used.is_none() && token.withdrawn.is_none())
    }

    /// The moment for which all values of the device are true: now while it has a link, else when it was last seen.
    pub(crate) fn as_of(&self, now: Timestamp) -> Timestamp {
        if self.link.is_some() {
            now
        } else {
            self.row.last_seen.unwrap_or(self.row.created)
        }
    }

    /// The device as people see it; `range` is the mesh's range.
    pub(super) fn view(&self, now: Timestamp, range: Ipv4Net) -> Device {
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

    /// The moment for which the engine's rows are true. While the engine can't be used, that is when it stopped
    /// answering, by control's clock.
    fn rows_as_of(&self, now: Timestamp) -> Timestamp {
        let as_of = self.as_of(now);
        let Some(since) = self.last_report.engine.as_ref().and_then(EngineState::since) else {
            return as_of;
        };
        let skew = SignedDuration::from_secs(self.last_report.clock_skew_seconds.unwrap_or(0));
        since.checked_sub(skew).unwrap_or(since).min(as_of)
    }

    /// Why the device's rows may be old; `None` while the device is online, and before it enrolled or after it was
    /// revoked.
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

    /// Why the engine's rows may be old; `None` while the engine reports, and when it held nothing.
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

    /// Whether the link comes through the device's SSH tunnel: then its remote address is this computer's loopback.
    fn is_tunneled(&self) -> bool {
        let remote = self.link.as_ref().and_then(|link| link.remote.parse().ok());
        self.tunnel.is_some() && remote.is_some_and(|remote: IpAddr| remote.is_loopback())
    }

    /// Whether the agent runs in another network than the device's mode says.
    pub(crate) fn has_mode_mismatch(&self) -> bool {
        mode_mismatch(&self.row, &self.last_report).is_some()
    }

    /// Why no packet may come in; `None` where the access rules decide.
    pub(crate) fn closed_reason(&self) -> Option<ClosedReason> {
        match self.row.mode {
            NetworkMode::Bridge | NetworkMode::Unknown => Some(ClosedReason::Bridge),
            NetworkMode::Host if self.announcement.in_the_machine && !self.row.host_kept => {
                Some(ClosedReason::DockerDesktop)
            }
            NetworkMode::Host | NetworkMode::Pause => None,
        }
    }

    /// The mode that network maps give the device: bridge where no packet may come in.
    pub(super) fn mode_in_force(&self) -> NetworkMode {
        self.closed_reason()
            .map_or(self.row.mode, |_| NetworkMode::Bridge)
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
mod tests;
