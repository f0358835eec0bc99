//! Entries of the activity log as sentences.

use flotilla_protocol::activity::{Action, Activity, Actor};

/// The actor of an entry.
#[must_use]
pub fn who(actor: &Actor) -> String {
    match actor {
        Actor::Owner => "You".to_owned(),
        Actor::Token { name } => format!("Token {name}"),
        Actor::Device { name } => name.clone(),
        Actor::Stranger { address } => address.clone(),
        Actor::Control => "The controller".to_owned(),
        Actor::Unknown => "Somebody".to_owned(),
    }
}

/// An entry in one sentence, without its time.
#[must_use]
pub fn sentence(entry: &Activity) -> String {
    let device = entry.device.as_deref().unwrap_or("a device");
    let container = entry.target.as_deref().unwrap_or("a container");
    let token = entry.target.as_deref().unwrap_or_default();
    let who = who(&entry.actor);
    let did = |verb: &str, object: &str| {
        if entry.succeeded {
            format!("{who} {verb} {object}")
        } else {
            format!("{object} could not be {verb}")
        }
    };
    match entry.action {
        Action::FleetCreated => "The fleet was created".to_owned(),
        Action::FleetUpdated => did("changed", "the fleet's settings"),
        Action::DeviceAdded => did("added", device),
        Action::DeviceUpdated => did("changed", device),
        Action::DeviceEnrolled => format!("{device} enrolled"),
        Action::EnrollmentRefused => format!("An enrollment from {who} was refused"),
        Action::DeviceRotated => did("made a new command for", device),
        Action::DevicePushed if entry.succeeded => format!("{who} installed the agent on {device} over SSH"),
        Action::DevicePushed => format!("The agent could not be installed on {device} over SSH"),
        Action::DeviceRevoked => did("revoked", device),
        Action::DeviceRemoved => did("removed", device),
        Action::DeviceQuarantined => format!("A second {device} was quarantined"),
        Action::DeviceOnline => format!("{device} came online"),
        Action::DeviceOffline => format!("{device} went offline"),
        Action::ContainerStarted => did("started", &format!("{container} on {device}")),
        Action::ContainerStopped => did("stopped", &format!("{container} on {device}")),
        Action::ContainerRestarted => did("restarted", &format!("{container} on {device}")),
        Action::ContainerPaused => did("paused", &format!("{container} on {device}")),
        Action::ContainerUnpaused => did("unpaused", &format!("{container} on {device}")),
        Action::ContainerKilled => did("killed", &format!("{container} on {device}")),
        Action::ContainerRecreated => did("recreated", &format!("{container} on {device}")),
        Action::ContainerRemoved => did("removed", &format!("{container} on {device}")),
        Action::ContainerMoved => did("moved", &format!("{container} on {device}")),
        Action::PolicySaved => did("changed", "the access policy"),
        Action::RelayStarted => did("made a relay of", device),
        Action::RelayEnded => did("ended the relay on", device),
        Action::TokenCreated => did("made", &format!("the API token {token}")),
        Action::TokenRevoked => did("revoked", &format!("the API token {token}")),
        Action::Unknown => entry.details.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: Action, succeeded: bool) -> Activity {
        Activity {
            id: 1,
            at: flotilla_protocol::Timestamp::UNIX_EPOCH,
            actor: Actor::Owner,
            action,
            target: Some("postgres".into()),
            device_id: None,
            device: Some("nas".into()),
            succeeded,
            details: String::new(),
        }
    }

    #[test]
    fn an_entry_says_who_did_what_where() {
        assert_eq!(
            sentence(&entry(Action::ContainerStopped, true)),
            "You stopped postgres on nas"
        );
        assert_eq!(
            sentence(&entry(Action::ContainerStopped, false)),
            "postgres on nas could not be stopped"
        );
        assert_eq!(sentence(&entry(Action::DeviceOnline, true)), "nas came online");
    }
}
