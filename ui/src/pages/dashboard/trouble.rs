//! The troubles of the fleet, worst first.

use crate::{
    copy::{attention, dashboard as copy, mode},
    tables::on_device::address_of,
    urgency,
};
use flotilla_protocol::{
    Timestamp,
    api::Row,
    device::{Attention, Device, DeviceStatus},
    id::DeviceId,
    inventory::{Container, ContainerState, Trouble},
};

/// At most this many troubles are shown.
const SHOWN: usize = 8;

/// A trouble with a link to it. Troubles are ordered by `rank`, then by text.
#[derive(Debug, Clone, PartialEq)]
pub struct TroubleLine {
    rank: Rank,
    pub is_bad: bool,
    pub text: String,
    /// A moment with the words before it: when a container ended, when an engine failed, or when a device was last
    /// seen.
    pub since: Option<(Timestamp, &'static str)>,
    pub action: &'static str,
    pub path: String,
    /// The device whose Host networking the person may confirm here.
    pub keeps_host: Option<DeviceId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A container, with its rank among containers.
    Container(u8),
    Quarantined,
    Offline,
    LowDisk,
    Engine,
    Mesh,
    ClockSkew,
    Other,
}

/// The worst troubles, and the number of all.
#[must_use]
pub fn troubles<'a>(
    devices: impl Iterator<Item = &'a Device>,
    containers: impl Iterator<Item = &'a Row<Container>>,
) -> (Vec<TroubleLine>, usize) {
    let mut found: Vec<_> = devices
        .flat_map(of_device)
        .chain(containers.filter_map(of_container))
        .collect();
    found.sort_by(|a, b| (a.rank, &a.text).cmp(&(b.rank, &b.text)));
    let all = found.len();
    found.truncate(SHOWN);
    (found, all)
}

fn of_device(device: &Device) -> Vec<TroubleLine> {
    let path = format!("/devices/{}", device.id);
    let name = device.name.as_str();
    let trouble = |rank, is_bad, text, since, action| TroubleLine {
        rank,
        is_bad,
        text,
        since,
        action,
        path: path.clone(),
        keeps_host: None,
    };
    let seen = device.last_seen.map(|moment| (moment, copy::LAST_SEEN));
    match device.status {
        DeviceStatus::Offline => {
            vec![trouble(
                Rank::Offline,
                true,
                format!("{name} is offline"),
                seen,
                copy::SEE_WHY,
            )]
        }
        DeviceStatus::Quarantined => {
            vec![trouble(
                Rank::Quarantined,
                true,
                format!("{name} is quarantined"),
                seen,
                copy::SEE_WHY,
            )]
        }
        DeviceStatus::Online => {
            let of = |about: &Attention| {
                let (rank, is_bad) = rank(about);
                let found = trouble(
                    rank,
                    is_bad,
                    attention::sentence(name, about),
                    began(about),
                    copy::OPEN_DEVICE,
                );
                let by_mode = |keeps_host| TroubleLine {
                    path: format!("{path}?ask=mode"),
                    action: mode::CHANGE,
                    keeps_host,
                    ..found.clone()
                };
                match about {
                    Attention::DockerDesktopHost | Attention::DockerDesktop => by_mode(Some(device.id)),
                    Attention::Strayed { .. } => by_mode(None),
                    _ => found,
                }
            };
            device.attention.iter().map(of).collect()
        }
        DeviceStatus::Pending
        | DeviceStatus::Reconnecting
        | DeviceStatus::Revoked
        | DeviceStatus::Unknown => Vec::new(),
    }
}

fn began(attention: &Attention) -> Option<(Timestamp, &'static str)> {
    match attention {
        Attention::Engine { since, .. } => since.map(|moment| (moment, copy::BEGAN)),
        _ => None,
    }
}

fn rank(attention: &Attention) -> (Rank, bool) {
    match attention {
        Attention::Cloned { .. } => (Rank::Quarantined, true),
        Attention::LowDisk { .. } => (Rank::LowDisk, false),
        Attention::Engine { .. } => (Rank::Engine, true),
        Attention::Mesh { .. } | Attention::MeshObstacle { .. } | Attention::Strayed { .. } => {
            (Rank::Mesh, true)
        }
        Attention::ClockSkew { .. } => (Rank::ClockSkew, false),
        Attention::DockerDesktopHost
        | Attention::DockerDesktop
        | Attention::Partial { .. }
        | Attention::Unknown => (Rank::Other, false),
    }
}

fn of_container(row: &Row<Container>) -> Option<TroubleLine> {
    let container = &row.item;
    let trouble = container.trouble()?;
    let what = attention::of_container(trouble);
    let ended = container
        .finished
        .filter(|_| container.state == ContainerState::Exited);
    Some(TroubleLine {
        rank: Rank::Container(urgency::of_container(container)),
        is_bad: trouble != Trouble::Restarting,
        text: format!("{} on {} {what}", container.name, row.device),
        since: ended.map(|moment| (moment, copy::ENDED)),
        action: copy::VIEW_CONTAINER,
        path: address_of(row),
        keeps_host: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;

    #[test]
    fn the_worst_comes_first_and_a_quiet_fleet_has_none() {
        let mut clock = device("clock", DeviceStatus::Online);
        clock.attention = vec![Attention::ClockSkew { seconds: 90 }];
        let fleet = [
            clock,
            device("fine", DeviceStatus::Online),
            device("gone", DeviceStatus::Offline),
        ];
        let (found, all) = troubles(fleet.iter(), std::iter::empty());
        let texts: Vec<_> = found.iter().map(|trouble| trouble.text.as_str()).collect();
        assert_eq!(all, 2);
        assert_eq!(texts[0], "gone is offline");
        assert!(texts[1].starts_with("clock's clock"));
    }

    #[test]
    fn docker_desktop_offers_another_mode_and_to_keep_this_one() {
        let mut desk = device("desk", DeviceStatus::Online);
        desk.attention = vec![Attention::DockerDesktopHost];
        let (found, _) = troubles([&desk].into_iter(), std::iter::empty());
        assert_eq!(
            (found[0].action, found[0].keeps_host),
            (mode::CHANGE, Some(desk.id))
        );
        assert!(found[0].path.ends_with("?ask=mode"), "{}", found[0].path);
    }

    #[test]
    fn no_more_are_shown_than_fit_and_all_are_counted() {
        let fleet: Vec<_> = (0..12)
            .map(|index| device(&format!("d{index}"), DeviceStatus::Offline))
            .collect();
        let (found, all) = troubles(fleet.iter(), std::iter::empty());
        assert_eq!((found.len(), all), (SHOWN, 12));
    }
}
