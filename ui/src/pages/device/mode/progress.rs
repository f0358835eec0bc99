//! The progress of a device that moves to another network mode.

use flotilla_protocol::{
    Timestamp,
    device::{Device, DeviceStatus, NetworkMode},
};

/// Seconds without a link after which the move is late, and the person reads what to do.
pub(super) const LATE: i64 = 45;

/// Seconds after which a device with a new link has reported its containers, so that an agent in its old network has
/// not moved.
const REPORTED: i64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MoveState {
    /// The device has its old link.
    Leaving,
    /// The device has no link.
    Away,
    /// The device has no new link for too long.
    Late,
    /// The device is online in the new mode.
    Back,
    /// The device is online, and its agent is in its old network.
    Unmoved,
}

/// The state of a move. `before` is since when the link was up when the move began, `network` the network of the
/// agent's container, and `seconds` the time since it began.
pub(super) fn move_state(
    device: &Device,
    to: NetworkMode,
    before: Option<Timestamp>,
    network: Option<&str>,
    seconds: i64,
) -> MoveState {
    let is_online = device.status == DeviceStatus::Online;
    let is_in_container = device.facts.as_ref().is_none_or(|facts| facts.containerized);
    // An agent that is not in a container is in the host's network already, so it keeps its link.
    let is_there = to == NetworkMode::Host && !is_in_container;
    let is_new = is_online && device.link.since.is_some() && (is_there || device.link.since != before);
    let is_moved = device.mode == to && network.is_none_or(|network| NetworkMode::of_network(network) == to);
    match (is_new, is_moved) {
        (true, true) => MoveState::Back,
        (true, false) if seconds >= REPORTED => MoveState::Unmoved,
        (false, _) if seconds >= LATE => MoveState::Late,
        (false, _) if is_online => MoveState::Leaving,
        _ => MoveState::Away,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetworkMode::{Bridge, Host, Pause};

    fn device(status: &str, mode: &str, since: Option<&str>) -> Device {
        let since = since.map_or_else(|| "null".to_owned(), |since| format!("\"{since}\""));
        let json = format!(
            r#"{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"nas","status":"{status}","cordoned":false,
            "draining":false,"attention":[],"mesh_ip":"100.64.0.7","mode":"{mode}","relay":"auto","tags":[],
            "link":{{"since":{since}}},"as_of":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    const OLD: &str = "2026-01-01T00:00:00Z";
    const NEW: &str = "2026-01-01T00:00:09Z";

    #[test]
    fn a_move_goes_from_the_old_link_over_none_to_a_new_one() {
        let before = OLD.parse().ok();
        let at = |device: &Device, network, seconds| move_state(device, Pause, before, network, seconds);
        assert_eq!(
            at(&device("online", "pause", Some(OLD)), Some("host"), 1),
            MoveState::Leaving
        );
        assert_eq!(
            at(&device("reconnecting", "pause", None), Some("host"), 3),
            MoveState::Away
        );
        let back = device("online", "pause", Some(NEW));
        assert_eq!(at(&back, Some("container:1f"), 5), MoveState::Back);
        assert_eq!(at(&back, None, 5), MoveState::Back);
        assert_eq!(at(&back, Some("host"), 5), MoveState::Away, "not reported yet");
    }

    #[test]
    fn what_takes_too_long_or_fails_is_told() {
        let before = OLD.parse().ok();
        let at = |device: &Device, network, seconds| move_state(device, Bridge, before, network, seconds);
        assert_eq!(
            at(&device("offline", "bridge", None), None, LATE),
            MoveState::Late
        );
        assert_eq!(
            at(&device("online", "bridge", Some(OLD)), Some("host"), LATE),
            MoveState::Late
        );
        assert_eq!(
            at(&device("online", "bridge", Some(NEW)), Some("host"), 12),
            MoveState::Unmoved
        );
        assert_eq!(
            at(&device("online", "host", Some(NEW)), None, 12),
            MoveState::Unmoved
        );
    }

    #[test]
    fn an_agent_on_the_device_itself_does_not_move_to_host_networking() {
        let mut native = device("online", "host", Some(OLD));
        native.facts = Some(flotilla_protocol::device::Facts::default());
        assert_eq!(
            move_state(&native, Host, OLD.parse().ok(), None, 0),
            MoveState::Back
        );
    }
}
