//! Checks a policy document beyond its syntax: rules must have an effect, and distinct names.

use flotilla_protocol::policy::{Policy, Ports, Rule};
use std::collections::BTreeSet;

/// The most rules that a policy may have, and the most tests.
pub const MOST_RULES: usize = 1_000;

/// The longest name of a rule, in characters.
pub const LONGEST_NAME: usize = 100;

/// Why a policy cannot be saved; the display text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("A policy has at most {MOST_RULES} rules and as many tests.")]
    TooMany { field: String },
    #[error("Enter a name for the rule, with at most {LONGEST_NAME} characters.")]
    Name { field: String },
    #[error("There are two rules with the name \"{name}\". Rename one of them.")]
    SameName { field: String, name: String },
    #[error("Rule \"{rule}\" says nothing about where it begins. Choose at least one source.")]
    NoFrom { field: String, rule: String },
    #[error("Rule \"{rule}\" says nothing about where it leads. Choose at least one destination.")]
    NoTo { field: String, rule: String },
    #[error("Rule \"{rule}\" has no ports. Write any, or at least one.")]
    NoPorts { field: String, rule: String },
    #[error("Rule \"{rule}\" has ports, which only tcp and udp have. Choose one of them, or any port.")]
    PortsWithoutProto { field: String, rule: String },
    #[error("A test can only name a port of tcp or udp, from 1 to 65535.")]
    TestPort { field: String },
}

impl Flaw {
    /// The path of the flaw in the document, for example `rules[2].ports`.
    pub fn field(&self) -> &str {
        match self {
            Self::TooMany { field }
            | Self::Name { field }
            | Self::SameName { field, .. }
            | Self::NoFrom { field, .. }
            | Self::NoTo { field, .. }
            | Self::NoPorts { field, .. }
            | Self::PortsWithoutProto { field, .. }
            | Self::TestPort { field } => field,
        }
    }
}

/// Checks a policy. Names of devices, tags and people are not looked up, because they may be added later;
/// [`crate::warnings`] names those that are missing.
///
/// The first flaw.
pub fn check(policy: &Policy) -> Result<(), Flaw> {
    for (field, length) in [("rules", policy.rules.len()), ("tests", policy.tests.len())] {
        if length > MOST_RULES {
            return Err(Flaw::TooMany {
                field: field.to_owned(),
            });
        }
    }
    let mut names = BTreeSet::new();
    for (index, rule) in policy.rules.iter().enumerate() {
        check_rule(rule, index)?;
        if !names.insert(&rule.name) {
            return Err(Flaw::SameName {
                field: format!("rules[{index}].name"),
                name: rule.name.clone(),
            });
        }
    }
    for (index, test) in policy.tests.iter().enumerate() {
        if test.port.is_some_and(|port| port == 0 || !test.proto.has_ports()) {
            return Err(Flaw::TestPort {
                field: format!("tests[{index}].port"),
            });
        }
    }
    Ok(())
}

fn check_rule(rule: &Rule, index: usize) -> Result<(), Flaw> {
    let field = |name: &str| format!("rules[{index}].{name}");
    let named = || rule.name.clone();
    let is_name = !rule.name.trim().is_empty()
        && rule.name.chars().count() <= LONGEST_NAME
        && !rule.name.contains(char::is_control);
    if !is_name {
        return Err(Flaw::Name { field: field("name") });
    }
    if rule.from.is_empty() {
        return Err(Flaw::NoFrom {
            field: field("from"),
            rule: named(),
        });
    }
    if rule.to.is_empty() {
        return Err(Flaw::NoTo {
            field: field("to"),
            rule: named(),
        });
    }
    if matches!(&rule.ports, Ports::Only(ranges) if ranges.is_empty()) {
        return Err(Flaw::NoPorts {
            field: field("ports"),
            rule: named(),
        });
    }
    if !has_sound_ports(rule) {
        return Err(Flaw::PortsWithoutProto {
            field: field("ports"),
            rule: named(),
        });
    }
    Ok(())
}

/// Whether the rule's ports mean something. A filter reads "no ports" as all of them, so a rule without this must
/// never be compiled.
pub(crate) fn has_sound_ports(rule: &Rule) -> bool {
    match &rule.ports {
        Ports::Any => true,
        Ports::Only(ranges) => rule.proto.has_ports() && !ranges.is_empty(),
    }
}
