//! Texts about pods.

use crate::components::confirm::Stakes;
use flotilla_protocol::inventory::FoundAs;
use std::net::Ipv4Addr;

pub const POD: &str = "Pod";
pub const AGENT: &str = "Agent";
pub const PUT: &str = "Put into the pod";
pub const PUTTING: &str = "Moving…";
pub const WAS_PUT: &str = "put into the pod";
pub const TAKE: &str = "Take out of the pod";
pub const TAKING: &str = "Moving…";
pub const WAS_TAKEN: &str = "taken out of the pod";

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

#[must_use]
pub fn put_stakes(facts: &PodMoveFacts<'_>) -> Stakes {
    let PodMoveFacts {
        container,
        networks,
        published,
        addresses,
        found_as,
        ..
    } = facts;
    let mut stakes = recreated(facts);
    let several = |one: &str, many: &str, values: &[String]| {
        let word = if values.len() == 1 { one } else { many };
        (!values.is_empty()).then(|| format!("Its {word} {}.", and(values)))
    };
    stakes.lost.extend(several("network", "networks", networks));
    stakes
        .lost
        .extend(several("published port", "published ports", published));
    stakes.lost.push("A host name of its own.".to_owned());
    stakes
        .lost
        .extend(found_as.iter().map(|found| found.loss(container)));
    if !addresses.is_empty() {
        stakes.text += &format!(
            " Other devices that a rule allows reach it at {}.",
            and(addresses)
        );
    }
    "Taking it out of the pod gives its networks, ports and name back.".clone_into(&mut stakes.back);
    stakes
}

#[must_use]
pub fn take_stakes(facts: &PodMoveFacts<'_>) -> Stakes {
    let mut stakes = recreated(facts);
    if !facts.addresses.is_empty() {
        stakes
            .lost
            .push(format!("It is not reached at {} any more.", and(facts.addresses)));
    }
    "It gets back the networks and published ports that it had before.".clone_into(&mut stakes.back);
    stakes
}

fn recreated(facts: &PodMoveFacts<'_>) -> Stakes {
    Stakes {
        text: format!(
            "{} is recreated on {} and is away for a moment.",
            facts.container, facts.device
        ),
        lost: vec!["What it wrote outside of volumes, and its logs.".to_owned()],
        kept: vec!["Its image, settings and volumes.".to_owned()],
        back: String::new(),
    }
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
        let put = put_stakes(&moved);
        assert_eq!(
            put.lost,
            [
                "What it wrote outside of volumes, and its logs.",
                "Its networks media_default and proxy.",
                "Its published port 8080 → 80/tcp.",
                "A host name of its own.",
                found_as[0].loss("web").as_str(),
            ]
        );
        assert_eq!(put.kept, ["Its image, settings and volumes."]);
        assert!(put.text.contains("reach it at 100.64.0.7:80."), "{}", put.text);
        assert!(put.back.starts_with("Taking it out of the pod"), "{}", put.back);
        let taken = take_stakes(&moved);
        assert_eq!(
            taken.lost[1..],
            ["It is not reached at 100.64.0.7:80 any more.".to_owned()]
        );
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
        assert_eq!(
            put_stakes(&moved).lost[1..],
            ["A host name of its own.".to_owned()]
        );
        assert_eq!(take_stakes(&moved).lost.len(), 1);
    }
}
