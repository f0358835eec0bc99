//! The sentence that tells people why a path is as it is.

use super::ClosedReason;
use crate::clock::Clock;
use flotilla_protocol::{Timestamp, path::PathReason};

/// The reason of a path, with the values that its sentence contains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathSentence<'a> {
    pub(crate) reason: PathReason,
    /// The device that the reason is about.
    pub(crate) name: &'a str,
    /// That device is the computer that control runs on.
    pub(crate) is_this_computer: bool,
    /// Why no packet may come in at that device.
    pub(crate) closed: Option<ClosedReason>,
    /// Since when the reason holds; for a device that is offline, when it was last seen.
    pub(crate) since: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

impl PathSentence<'_> {
    pub(crate) fn write(&self, clock: &Clock) -> String {
        let name = self.name;
        let at = self.since.map(|at| clock.time(at));
        let age = self.since.map(|at| age(self.now.as_second() - at.as_second()));
        match self.reason {
            PathReason::DirectLan => "Direct on the same local network".to_owned(),
            PathReason::DirectIpv6 => "Direct over IPv6".to_owned(),
            PathReason::DirectRouted => "Direct through a private network".to_owned(),
            PathReason::DirectNat => "Direct through NAT".to_owned(),
            PathReason::RelayTrying => "Relayed while a direct path is tried".to_owned(),
            PathReason::RelayUdpBlocked => format!("Relayed: UDP is blocked on {name}'s network"),
            PathReason::RelayHardNat => {
                "Relayed: both networks use a NAT that changes ports per connection".to_owned()
            }
            PathReason::RelayAlways => format!("Relayed: Access Relay is set to Always on {name}"),
            PathReason::RelayLost => match age {
                Some(age) => format!("Relayed: the direct path stopped answering {age} ago"),
                None => "Relayed: the direct path stopped answering".to_owned(),
            },
            PathReason::NoneNever => {
                format!("No path: direct failed and Access Relay is set to Never on {name}")
            }
            PathReason::NoneAsleep => {
                let who = if self.is_this_computer {
                    "this computer"
                } else {
                    name
                };
                let until = at.map(|at| format!(" until {at}")).unwrap_or_default();
                format!("No path: {who} was asleep{until}")
            }
            PathReason::NoneOffline => match at {
                Some(at) => format!("No path: {name} is offline since {at}"),
                None => format!("No path: {name} was not seen yet"),
            },
            PathReason::NoneNoRelay => format!("No path: {name} can't reach any relay"),
            PathReason::NoneMode if self.closed == Some(ClosedReason::DockerDesktop) => {
                format!("No path: Host networking on {name} is that of Docker Desktop's virtual machine")
            }
            PathReason::NoneMode => format!("No path: {name} uses Bridge networking"),
            PathReason::NonePolicy => "No path: no rule lets these devices talk".to_owned(),
            PathReason::Unknown => match age {
                Some(age) => format!("Unknown: {name} has not reported its paths for {age}"),
                None => format!("Unknown: {name} has not reported its paths yet"),
            },
        }
    }
}

/// A length of time in its largest whole unit.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::ManualClock;
    use flotilla_protocol::path::PathKind;

    fn sentence(reason: PathReason, since: &str) -> String {
        let (_, clock) = ManualClock::at("2026-11-21T14:02:00Z");
        let sentence = PathSentence {
            reason,
            name: "vps-2",
            is_this_computer: true,
            closed: None,
            since: since.parse().ok(),
            now: clock.now(),
        };
        sentence.write(&clock)
    }

    #[test]
    fn every_reason_has_a_sentence_that_begins_with_its_kind() {
        for reason in PathReason::ALL {
            let begin = match reason.kind() {
                PathKind::Direct => "Direct ",
                PathKind::Relayed => "Relayed",
                PathKind::None => "No path: ",
                PathKind::Unknown => "Unknown: ",
            };
            for since in ["2026-11-21T13:59:00Z", ""] {
                let sentence = sentence(*reason, since);
                assert!(
                    sentence.starts_with(begin) && !sentence.ends_with([' ', '.']),
                    "{sentence}"
                );
            }
        }
    }

    #[test]
    fn times_and_names_are_those_of_what_happened() {
        let at = |reason, since| sentence(reason, since);
        for (reason, since, expected) in [
            (
                PathReason::RelayUdpBlocked,
                "",
                "Relayed: UDP is blocked on vps-2's network",
            ),
            (
                PathReason::RelayLost,
                "2026-11-21T13:59:00Z",
                "Relayed: the direct path stopped answering 3 min ago",
            ),
            (
                PathReason::NoneOffline,
                "2026-11-21T09:12:00Z",
                "No path: vps-2 is offline since 09:12",
            ),
            (
                PathReason::NoneOffline,
                "2026-11-19T09:12:00Z",
                "No path: vps-2 is offline since 2026-11-19 09:12",
            ),
            (
                PathReason::NoneAsleep,
                "2026-11-21T14:02:00Z",
                "No path: this computer was asleep until 14:02",
            ),
            (
                PathReason::Unknown,
                "2026-11-21T10:00:00Z",
                "Unknown: vps-2 has not reported its paths for 4 h",
            ),
        ] {
            assert_eq!(at(reason, since), expected);
        }
    }
}
