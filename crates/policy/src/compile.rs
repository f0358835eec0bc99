//! Compiles a policy into each device's filter and its peers.

use crate::{
    Subject,
    flows::PortSet,
    in_force,
    kinds::{RuleSet, by_kind},
    select::any_selects,
};
use flotilla_protocol::{
    cidr::IpRange,
    id::DeviceId,
    mesh::{Allow, Filter},
    policy::{Policy, Ports, Rule, Selector},
};
use std::collections::{BTreeMap, BTreeSet};

/// A policy with its selectors resolved once, for all devices to be looked up. Its size grows with the devices and
/// with the kinds of them, not with the pairs.
#[derive(Debug)]
pub struct Compiled {
    kinds: Vec<KindMembers>,
    kind_of: BTreeMap<DeviceId, Kind>,
}

/// Devices for which a compiled policy means the same. It belongs to that policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind(usize);

#[derive(Debug)]
struct KindMembers {
    /// The rules that select these devices as a source.
    begins: RuleSet,
    /// The rules that select these devices as a destination.
    leads: RuleSet,
    devices: Vec<DeviceId>,
    filter: Filter,
}

type Grouped<'a> = BTreeMap<(RuleSet, RuleSet, bool), Vec<&'a Subject>>;

impl Compiled {
    /// `mesh` is the range of the fleet's addresses, which `any` means as a source.
    pub fn new(policy: &Policy, subjects: &[Subject], mesh: IpRange) -> Self {
        let rules: Vec<_> = in_force(policy).collect();
        let grouped = by_kind(subjects, |subject| {
            let begins = RuleSet::of(&rules, |rule| any_selects(&rule.from, subject));
            let leads = RuleSet::of(&rules, |rule| any_selects(&rule.to, subject));
            (begins, leads, subject.is_reachable())
        });
        let resolved: Vec<_> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| Resolved::new(rule, index, &grouped, mesh))
            .collect();
        let mut compiled = Self {
            kinds: Vec::with_capacity(grouped.len()),
            kind_of: BTreeMap::new(),
        };
        for ((begins, leads, is_reachable), subjects) in grouped {
            let kind = Kind(compiled.kinds.len());
            compiled.kind_of.extend(subjects.iter().map(|s| (s.id, kind)));
            compiled.kinds.push(KindMembers {
                filter: if is_reachable {
                    filter(&resolved, &begins, &leads)
                } else {
                    Filter::default()
                },
                devices: subjects.iter().map(|s| s.id).collect(),
                begins,
                leads,
            });
        }
        compiled
    }

    /// `None` for a device outside of the fleet.
    pub fn kind(&self, device: DeviceId) -> Option<Kind> {
        self.kind_of.get(&device).copied()
    }

    /// What may come in at a device, independent of the order of rules. At a device in bridge networking nothing may.
    pub fn filter_for(&self, device: DeviceId) -> Filter {
        self.kind(device)
            .map_or_else(Filter::default, |kind| self.filter(kind).clone())
    }

    /// What may come in at devices of a kind of this policy.
    pub fn filter(&self, kind: Kind) -> &Filter {
        &self.kinds[kind.0].filter
    }

    /// Whether a rule connects devices of two kinds, in either direction, so that they may know of each other.
    #[must_use]
    pub fn links(&self, one: Kind, other: Kind) -> bool {
        let (one, other) = (&self.kinds[one.0], &self.kinds[other.0]);
        one.begins.meets(&other.leads) || other.begins.meets(&one.leads)
    }

    /// The devices that a rule connects with this one, in either direction: it may know of no others.
    pub fn neighbors(&self, device: DeviceId) -> BTreeSet<DeviceId> {
        let Some(own) = self.kind(device) else {
            return BTreeSet::new();
        };
        let kinds = self.kinds.iter().enumerate();
        kinds
            .filter(|(index, _)| self.links(own, Kind(*index)))
            .flat_map(|(_, kind)| &kind.devices)
            .copied()
            .filter(|other| *other != device)
            .collect()
    }

    /// Whether a rule lets `from` open any flow to `to`.
    #[must_use]
    pub fn connects(&self, from: DeviceId, to: DeviceId) -> bool {
        let kinds = self.kind(from).zip(self.kind(to));
        from != to && kinds.is_some_and(|(from, to)| self.kinds[from.0].begins.meets(&self.kinds[to.0].leads))
    }
}

/// What a rule adds to the filters of its destinations.
struct Resolved {
    /// How many devices are sources of it.
    origins: usize,
    /// It also allows addresses that no device of the fleet has.
    admits_strangers: bool,
    allow: Allow,
}

impl Resolved {
    fn new(rule: &Rule, index: usize, grouped: &Grouped<'_>, mesh: IpRange) -> Self {
        let origins = grouped
            .iter()
            .filter(|((begins, ..), _)| begins.holds(index))
            .flat_map(|(_, subjects)| subjects);
        let ranges = rule.from.iter().filter_map(|selector| match selector {
            Selector::Any => Some(mesh),
            Selector::Range(range) => Some(*range),
            _ => None,
        });
        let addresses = origins.clone().map(|s| IpRange::one(s.address.into()));
        Self {
            origins: origins.count(),
            admits_strangers: rule
                .from
                .iter()
                .any(|selector| matches!(selector, Selector::Range(_))),
            allow: Allow {
                sources: IpRange::merged(addresses.chain(ranges)),
                proto: rule.proto,
                ports: match &rule.ports {
                    Ports::Any => Vec::new(),
                    Ports::Only(ranges) => PortSet::of(ranges).ranges().to_vec(),
                },
            },
        }
    }
}

/// What may come in at a device with these rules as source and as destination.
fn filter(rules: &[Resolved], begins: &RuleSet, leads: &RuleSet) -> Filter {
    let applying = leads.iter().filter(|index| {
        let others = rules[*index].origins - usize::from(begins.holds(*index));
        rules[*index].admits_strangers || others > 0
    });
    let allows: BTreeSet<_> = applying.map(|index| &rules[index].allow).collect();
    Filter {
        allows: allows.into_iter().cloned().collect(),
    }
}
