//! Texts about changing the network mode of a device.

use super::{add_device::card, pods::and};
use crate::format::counted;
use flotilla_protocol::device::NetworkMode;

pub const CHANGE: &str = "Change network mode";
pub const KEEP_HOST: &str = "Keep Host networking";
pub const KEEPING: &str = "Saving…";
pub const WAS_KEPT: &str = "confirmed";
pub const MODE: &str = "Network mode";
pub const IN_USE: &str = "In use now.";
pub const SAME: &str = "This device uses this mode already.";
pub const CANCEL: &str = "Cancel";
pub const CLOSE: &str = "Close";
pub const DONE: &str = "Done";
pub const STOPS: &str = "What stops being reachable";
pub const OPENS: &str = "What becomes reachable";
pub const NOTHING_STOPS: &str = "Nothing, as far as this page knows.";
pub const IS_RELAY: &str =
    "This device is a relay, which nothing could reach with Bridge networking. End that first, in Settings.";
pub const POD_BEGINS: &str =
    "Only containers in the pod will be reachable. Put them into it from their rows in Containers.";
pub const IN_MACHINE: &str =
    "This engine is Docker Desktop's: host networking reaches its virtual machine, not the computer.";
pub const CHANGING: &str = "Changing…";

#[must_use]
pub fn title(device: &str) -> String {
    format!("Change network mode of {device}")
}

/// "Change to Bridge networking".
#[must_use]
pub fn change_to(mode: NetworkMode) -> String {
    format!("Change to {}", card(mode).title)
}

/// "web at 100.64.0.7:80 and 100.64.0.7:443".
#[must_use]
pub fn at(container: &str, places: &[String]) -> String {
    format!("{container} at {}", and(places))
}

#[must_use]
pub fn and_more(containers: usize) -> String {
    format!("and {}", counted(containers, "more container", "more containers"))
}

#[must_use]
pub fn services(device: &str) -> String {
    format!("Everything that listens on {device} itself, as far as rules allow it")
}

#[must_use]
pub fn no_rule(device: &str) -> String {
    format!("No access rule lets another device reach {device}.")
}

#[must_use]
pub fn without_effect(rules: &[String]) -> String {
    let one = rules.len() == 1;
    let (rule, has) = if one {
        ("The rule", "has")
    } else {
        ("The rules", "have")
    };
    format!("{rule} {} {has} no effect on this device any more.", and(rules))
}

#[must_use]
pub fn pod_ends(members: &[String]) -> String {
    let (stays, them, its) = if members.len() == 1 {
        ("stays", "it", "its own networks and ports")
    } else {
        ("stay", "them", "their own networks and ports")
    };
    format!(
        "{} {stays} in the pod's network, which is not on the mesh any more. Take {them} out of the pod first to have {its} back.",
        and(members)
    )
}

#[must_use]
pub fn stays(device: &str) -> String {
    format!(
        "{device} keeps its identity, mesh address and containers. It is offline for some seconds while its agent moves."
    )
}

/// The sentence while the device still has its old link.
#[must_use]
pub fn leaving(device: &str, mode: NetworkMode) -> String {
    format!("The agent of {device} makes ready for {}…", card(mode).title)
}

#[must_use]
pub fn away(device: &str) -> String {
    format!("Waiting for {device} to come back from its new network…")
}

#[must_use]
pub fn back(device: &str, mode: NetworkMode) -> String {
    format!("{device} is online with {}.", card(mode).title)
}

#[must_use]
pub fn late(device: &str) -> String {
    format!(
        "{device} is not back yet. Its old agent returns by itself when the new one can't start. If it stays away, create a re-enroll command in its Trust tab and run it on the device."
    )
}

#[must_use]
pub fn unmoved(device: &str) -> String {
    format!(
        "{device} is online, but its agent is still in its old network: the new one could not start. Nothing can come in that the new mode denies. Look at the agent's log on the device, then change the mode again."
    )
}

#[must_use]
pub fn by_hand(device: &str) -> String {
    format!("{device} can't move by itself")
}

#[must_use]
pub fn host_kept(device: &str) -> String {
    format!("{device} keeps Host networking.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_agree_in_number() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            without_effect(&names(&["web"])),
            "The rule web has no effect on this device any more."
        );
        assert!(pod_ends(&names(&["web"])).contains("web stays in the pod's network"));
        assert!(pod_ends(&names(&["web", "api"])).contains("Take them out of the pod first"));
    }
}
