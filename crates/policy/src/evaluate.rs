//! The reference for the compiled filter: reads the rules one by one.

use crate::{Subject, find, in_force, select::any_selects};
use flotilla_protocol::{
    id::DeviceId,
    policy::{Policy, Ports, Proto, Rule},
};

/// Whether a device may reach another, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The first rule that allows it by itself; absent when none does.
    pub allowed_by: Option<String>,
}

impl Verdict {
    pub fn is_allowed(&self) -> bool {
        self.allowed_by.is_some()
    }
}

/// Whether `from` may open a flow to `to`. [`Proto::Any`] asks for every protocol, and no port for every port. It does
/// not tell whether packets arrive: see [`Subject::is_reachable`].
pub fn evaluate(
    policy: &Policy,
    subjects: &[Subject],
    from: DeviceId,
    to: DeviceId,
    proto: Proto,
    port: Option<u16>,
) -> Verdict {
    let pair = find(subjects, from)
        .zip(find(subjects, to))
        .filter(|_| from != to);
    let rule = pair.and_then(|(from, to)| {
        in_force(policy).find(|rule| {
            any_selects(&rule.from, from) && any_selects(&rule.to, to) && covers(rule, proto, port)
        })
    });
    Verdict {
        allowed_by: rule.map(|rule| rule.name.clone()),
    }
}

fn covers(rule: &Rule, proto: Proto, port: Option<u16>) -> bool {
    let has_proto = rule.proto == Proto::Any || rule.proto == proto;
    let has_port = match &rule.ports {
        Ports::Any => true,
        Ports::Only(ranges) => port.is_some_and(|port| ranges.iter().any(|range| range.contains(port))),
    };
    has_proto && has_port
}
