//! Texts about pods.

use flotilla_protocol::inventory::FoundAs;
use std::net::Ipv4Addr;

pub const POD: &str = "Pod";
pub const AGENT: &str = "Agent";
pub const PUT: &str = "Put into the pod";
pub const TAKE: &str = "Take out of the pod";

pub const HOLDS: &str = "Holds the pod's network and does nothing else.";
pub const IS_AGENT: &str = "Flotilla's own agent.";
/// Why the pause container cannot be stopped.
pub const IS_PAUSE: &str =
    "It holds the network of this device's pod: every container in the pod would lose it.";
pub const NO_POD: &str = "The pod of this device is not there yet.";
pub const ALONE: &str =
    "No container of yours is in the pod yet. Put one into it from its row in Containers.";
pub const NO_PAUSE: &str =
    "The container that held the pod's network is gone. Start it again, or change the network mode.";
pub const NO_PORTS: &str = "No port is declared.";
pub const SEE_CONTAINERS: &str = "See containers";

/// The mark of the pause container, with the address of the pod.
#[must_use]
pub fn at(ip: Option<Ipv4Addr>) -> String {
    ip.map_or_else(|| POD.to_owned(), |ip| format!("{POD} {ip}"))
}

/// The end of the accessible name of a row of a pod.
#[must_use]
pub fn spoken(ip: Option<Ipv4Addr>) -> String {
    ip.map_or_else(|| "in the pod".to_owned(), |ip| format!("in the pod at {ip}"))
}

#[must_use]
pub fn shares(ip: Ipv4Addr) -> String {
    format!(
        "These containers share one network and answer at {ip}, each at its own ports. Two can't use the same port."
    )
}

#[must_use]
pub fn copy_address(address: &str) -> String {
    format!("Copy {address}")
}

#[must_use]
pub fn ports_of(container: &str) -> String {
    format!("Addresses of {container}")
}

/// What the dialog says before a container is put into a pod or taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMoveFacts<'a> {
    pub container: &'a str,
    pub device: &'a str,
    /// The networks that it leaves.
    pub networks: &'a [String],
    /// Its published ports, such as `8080 → 80/tcp`, which end.
    pub published: &'a [String],
    /// Its addresses in the pod.
    pub addresses: &'a [String],
    /// The names by which other containers find it in its networks.
    pub found_as: &'a [FoundAs],
}

#[must_use]
pub fn put_title(container: &str, device: &str) -> String {
    format!("Put {container} into the pod of {device}?")
}

#[must_use]
pub fn put(container: &str) -> String {
    format!("Put {container} into the pod")
}

#[must_use]
pub fn leave(container: &str) -> String {
    format!("Leave {container} where it is")
}

#[must_use]
pub fn take_title(container: &str, device: &str) -> String {
    format!("Take {container} out of the pod of {device}?")
}

#[must_use]
pub fn take(container: &str) -> String {
    format!("Take {container} out of the pod")
}

#[must_use]
pub fn keep(container: &str) -> String {
    format!("Leave {container} in the pod")
}

/// What is lost, what stays, and how to undo it.
#[must_use]
pub fn put_text(facts: &PodMoveFacts<'_>) -> String {
    let PodMoveFacts {
        container,
        device,
        networks,
        published,
        addresses,
        found_as,
    } = facts;
    let mut lost = Vec::new();
    if !networks.is_empty() {
        let one = if networks.len() == 1 {
            "its network"
        } else {
            "its networks"
        };
        lost.push(format!("{one} {}", and(networks)));
    }
    if !published.is_empty() {
        let one = if published.len() == 1 {
            "its published port"
        } else {
            "its published ports"
        };
        lost.push(format!("{one} {}", and(published)));
    }
    lost.push("a host name of its own".to_owned());
    let mut text = recreated(container, device);
    text += &format!(" In the pod it loses {}.", and(&lost));
    for found in *found_as {
        text += &format!(" {}", found.loss(container));
    }
    if !addresses.is_empty() {
        text += &format!(
            " Other devices that a rule allows reach it at {}.",
            and(addresses)
        );
    }
    text + " Taking it out of the pod gives all of it back."
}

#[must_use]
pub fn take_text(facts: &PodMoveFacts<'_>) -> String {
    let PodMoveFacts {
        container,
        device,
        addresses,
        ..
    } = facts;
    let mut text = recreated(container, device);
    if !addresses.is_empty() {
        text += &format!(" It is not reached at {} any more.", and(addresses));
    }
    text + " It gets back the networks and published ports that it had before."
}

fn recreated(container: &str, device: &str) -> String {
    format!(
        "{container} is recreated on {device}, with its image, settings and volumes, and is away for a moment. What it wrote outside of volumes is lost, and so are its logs."
    )
}

#[must_use]
pub fn was_put(container: &str, device: &str) -> String {
    format!("{container} is in the pod of {device}.")
}

#[must_use]
pub fn was_taken(container: &str, device: &str) -> String {
    format!("{container} left the pod of {device}.")
}

/// "a", "a and b", "a, b and c".
#[must_use]
pub fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_move_names_what_is_lost_what_stays_and_the_way_back() {
        let (networks, published) = (texts(&["media_default", "proxy"]), texts(&["8080 → 80/tcp"]));
        let addresses = texts(&["100.64.0.7:80"]);
        let found_as = [FoundAs {
            network: "media_default".to_owned(),
            names: texts(&["db", "media-db-1"]),
            neighbors: texts(&["app"]),
        }];
        let moved = PodMoveFacts {
            container: "web",
            device: "nas",
            networks: &networks,
            published: &published,
            addresses: &addresses,
            found_as: &found_as,
        };
        let put = put_text(&moved);
        for part in [
            "web is recreated on nas, with its image, settings and volumes",
            "its networks media_default and proxy, its published port 8080 → 80/tcp and a host name of its own.",
            "On network media_default, it will no longer be found as db, media-db-1 by app",
            "reach it at 100.64.0.7:80.",
            "Taking it out of the pod gives all of it back.",
        ] {
            assert!(put.contains(part), "{put}");
        }
        assert!(take_text(&moved).contains("not reached at 100.64.0.7:80 any more"));
    }

    #[test]
    fn what_there_is_not_is_not_lost() {
        let moved = PodMoveFacts {
            container: "web",
            device: "nas",
            networks: &[],
            published: &[],
            addresses: &[],
            found_as: &[],
        };
        let put = put_text(&moved);
        assert!(put.contains("it loses a host name of its own. Taking"), "{put}");
    }
}
