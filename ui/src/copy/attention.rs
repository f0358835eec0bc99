//! What a device reports that needs attention, in one sentence each.

use super::add_device::card;
use crate::format;
use flotilla_protocol::{device::Attention, inventory::Trouble};

pub const DESKTOP_TITLE: &str = "Docker Desktop";

/// The button that confirms that the second machine is the same one with another id.
pub const VOUCH: &str = "It is one machine";
pub const VOUCHING: &str = "Saving…";
pub const WAS_VOUCHED: &str = "confirmed";

#[must_use]
pub fn vouched(device: &str) -> String {
    format!("{device} is one machine. It is back within two minutes.")
}

/// The notice for an agent that is a container of Docker Desktop.
#[must_use]
pub fn desktop_blocked(device: &str) -> String {
    format!(
        "{device} runs Docker Desktop. Host networking reaches its virtual machine, not the computer, so no other device can reach {device} until you choose."
    )
}

/// The notice for an agent that runs on the computer beside Docker Desktop.
#[must_use]
pub fn desktop_beside(device: &str) -> String {
    format!(
        "{device} runs Docker Desktop, whose containers live in a virtual machine. Published ports are reached at {device}'s mesh address; containers with host networking join the virtual machine's network and are not."
    )
}

/// The trouble of a container, as the end of a sentence that begins with its name.
#[must_use]
pub fn of_container(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unhealthy => "is unhealthy".to_owned(),
        Trouble::Restarting => "keeps restarting".to_owned(),
        Trouble::Dead => "is dead".to_owned(),
        Trouble::OutOfMemory => "ran out of memory".to_owned(),
        Trouble::NotStarted => "could not be started".to_owned(),
        Trouble::Failed(code) => format!("failed with exit code {code}"),
    }
}

/// What happened on a device, and what to do about it.
#[must_use]
pub fn sentence(device: &str, attention: &Attention) -> String {
    match attention {
        Attention::DockerDesktopHost => {
            format!(
                "{device} runs Docker Desktop. Host networking reaches its virtual machine, not the computer."
            )
        }
        Attention::DockerDesktop => format!(
            "{device} runs Docker Desktop. Containers with host networking are in its virtual machine, so the mesh can't reach them. Publish their ports instead."
        ),
        Attention::Strayed { runs } => format!(
            "{device}'s agent runs with {}, which is not the mode chosen for it. Change the network mode again.",
            card(*runs).title
        ),
        Attention::ClockSkew { seconds } => {
            let direction = if *seconds < 0 { "behind" } else { "ahead" };
            format!(
                "{device}'s clock is {} {direction}. Set the clock on the device.",
                format::span(seconds.abs())
            )
        }
        Attention::LowDisk {
            free_bytes,
            total_bytes,
        } => {
            format!(
                "{device} has {} of {} free.",
                format::disk(*free_bytes),
                format::disk(*total_bytes)
            )
        }
        Attention::Engine { reason, .. } => {
            format!("The container engine of {device} needs attention: {reason}")
        }
        Attention::Cloned {
            hostname,
            address,
            contests: Some(other),
            ..
        } => format!(
            "Two machines take turns as {device}, and both wait for you: {other}, and {hostname} at {address}. If they are one machine, say so on its page; else create a re-enroll command for the right one."
        ),
        Attention::Cloned {
            hostname, address, ..
        } => format!(
            "Two machines present themselves as {device}. The second, {hostname} at {address}, is quarantined."
        ),
        Attention::Mesh { reason, .. } => format!("{device} is not on the mesh: {reason}"),
        Attention::MeshObstacle { reason, .. } => {
            format!("{device} is on the mesh, but not all packets pass: {reason}")
        }
        Attention::Partial { reason } => format!("Not everything on {device} is shown. {reason}"),
        Attention::Unknown => format!("{device} needs attention."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_says_which_way_it_is_off() {
        let off = |seconds| sentence("nas", &Attention::ClockSkew { seconds });
        assert_eq!(
            off(-3 * 3_600),
            "nas's clock is 3 h behind. Set the clock on the device."
        );
        assert_eq!(
            off(90),
            "nas's clock is 1 min ahead. Set the clock on the device."
        );
    }
}
