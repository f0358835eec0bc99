//! The policies that a fleet can begin with.

use flotilla_protocol::{
    api::StartingPolicy,
    name::DeviceName,
    policy::{Policy, Ports, Proto, Rule, Selector},
};

/// The first policy: *Locked* lets only this computer reach devices, *Open lab* every device every other. An unknown
/// choice gives a policy without rules, by which no device reaches another.
pub fn starting(choice: StartingPolicy, this_computer: Option<&DeviceName>) -> Policy {
    let rule = match choice {
        StartingPolicy::Locked => this_computer.map(|name| {
            (
                "This computer reaches every device",
                Selector::Device(name.clone()),
            )
        }),
        StartingPolicy::OpenLab => Some(("Every device reaches every other", Selector::Any)),
        StartingPolicy::Unknown => None,
    };
    let rules = rule.map(|(name, from)| Rule {
        name: name.to_owned(),
        enabled: true,
        from: vec![from],
        to: vec![Selector::Any],
        proto: Proto::Any,
        ports: Ports::Any,
    });
    Policy {
        rules: rules.into_iter().collect(),
        tests: Vec::new(),
    }
}
