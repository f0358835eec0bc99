//! From a policy to what each device must know: its filter, and its peers.

use crate::{Subject, flows::PortSet, in_force, ranges::merged, select::any_selects};
use flotilla_protocol::{
    cidr::IpRange,
    id::DeviceId,
    mesh::{Allow, Filter},
    policy::{Policy, Ports, Rule, Selector},
};
use std::collections::BTreeSet;

/// A policy whose selectors were resolved once, for all devices to ask.
#[derive(Debug)]
pub struct Compiled {
    rules: Vec<Resolved>,
    unreachable: BTreeSet<DeviceId>,
}

#[derive(Debug)]
struct Resolved {
    from: BTreeSet<DeviceId>,
    to: BTreeSet<DeviceId>,
    /// It also admits addresses that no device of the fleet has now.
    admits_strangers: bool,
    allow: Allow,
}

impl Compiled {
    /// `mesh` is the range of the fleet's addresses: what `any` means as a source.
    #[must_use]
    pub fn new(policy: &Policy, subjects: &[Subject], mesh: IpRange) -> Self {
        Self {
            rules: in_force(policy)
                .map(|rule| Resolved::new(rule, subjects, mesh))
                .collect(),
            unreachable: subjects
                .iter()
                .filter(|s| !s.is_reachable())
                .map(|s| s.id)
                .collect(),
        }
    }

    /// What may come in at a device, independent of the order of rules. A device in bridge networking takes nothing.
    #[must_use]
    pub fn filter_for(&self, device: DeviceId) -> Filter {
        if self.unreachable.contains(&device) {
            return Filter::default();
        }
        let applying = self.rules.iter().filter(|rule| {
            rule.to.contains(&device)
                && (rule.admits_strangers || rule.from.iter().any(|from| *from != device))
        });
        let allows: BTreeSet<&Allow> = applying.map(|rule| &rule.allow).collect();
        Filter {
            allows: allows.into_iter().cloned().collect(),
        }
    }

    /// The devices that some rule connects with this one, in either direction: the only ones it may know of.
    #[must_use]
    pub fn neighbors(&self, device: DeviceId) -> BTreeSet<DeviceId> {
        let mut neighbors = BTreeSet::new();
        for rule in &self.rules {
            if rule.from.contains(&device) {
                neighbors.extend(&rule.to);
            }
            if rule.to.contains(&device) {
                neighbors.extend(&rule.from);
            }
        }
        neighbors.remove(&device);
        neighbors
    }

    /// Whether any rule lets `from` open anything to `to`.
    #[must_use]
    pub fn connects(&self, from: DeviceId, to: DeviceId) -> bool {
        from != to
            && self
                .rules
                .iter()
                .any(|rule| rule.from.contains(&from) && rule.to.contains(&to))
    }
}

impl Resolved {
    fn new(rule: &Rule, subjects: &[Subject], mesh: IpRange) -> Self {
        let selected = |selectors: &[Selector]| {
            subjects
                .iter()
                .filter(|s| any_selects(selectors, s))
                .map(|s| s.id)
                .collect()
        };
        Self {
            from: selected(&rule.from),
            to: selected(&rule.to),
            admits_strangers: rule
                .from
                .iter()
                .any(|selector| matches!(selector, Selector::Range(_))),
            allow: Allow {
                sources: sources(&rule.from, subjects, mesh),
                proto: rule.proto,
                ports: match &rule.ports {
                    Ports::Any => Vec::new(),
                    Ports::Only(ranges) => PortSet::of(ranges).ranges().to_vec(),
                },
            },
        }
    }
}

fn sources(selectors: &[Selector], subjects: &[Subject], mesh: IpRange) -> Vec<IpRange> {
    let devices = subjects
        .iter()
        .filter(|s| any_selects(selectors, s))
        .map(|s| IpRange::one(s.address.into()));
    let ranges = selectors.iter().filter_map(|selector| match selector {
        Selector::Any => Some(mesh),
        Selector::Range(range) => Some(*range),
        _ => None,
    });
    merged(devices.chain(ranges))
}
