//! What another policy would change: which pairs of devices it opens and closes.
//!
//! Devices that the same rules select are alike, so policies are compared between kinds of devices, and pairs are
//! written out only where something differs.

use crate::{
    Subject,
    flows::Flows,
    guard::run_tests,
    in_force,
    select::{Source, any_selects},
    warnings,
};
use flotilla_protocol::{
    api::{PolicyReview, Reach},
    id::DeviceId,
    name::DeviceName,
    policy::{Policy, Rule},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many opened pairs a review lists at most, and how many closed ones; it counts all.
pub const LISTED: usize = 1_000;

/// The difference between two policies. Which live flows it cuts is for the caller to add, who knows them.
#[must_use]
pub fn review(old: &Policy, new: &Policy, subjects: &[Subject]) -> PolicyReview {
    let [old_rules, new_rules] = [old, new].map(|policy| in_force(policy).collect::<Vec<_>>());
    let both = [&old_rules[..], &new_rules[..]];
    let sources = Kinds::of(all_sources(both, subjects), both, |source, rule| {
        source.is_within(&rule.from, subjects)
    });
    let destinations = Kinds::of(subjects, both, |subject, rule| any_selects(&rule.to, subject));
    let (mut opens, mut closes) = (Listing::new(subjects), Listing::new(subjects));
    for (begins, from) in &sources.0 {
        for (leads, to) in &destinations.0 {
            let before = flows(&old_rules, &begins[0], &leads[0]);
            let after = flows(&new_rules, &begins[1], &leads[1]);
            opens.add(from, to, &after.without(&before));
            closes.add(from, to, &before.without(&after));
        }
    }
    PolicyReview {
        opens_total: opens.total,
        closes_total: closes.total,
        opens: opens.sorted(),
        closes: closes.sorted(),
        cuts: Vec::new(),
        failing: run_tests(new, subjects),
        warnings: warnings(new, subjects),
    }
}

fn all_sources(policies: [&[&Rule]; 2], subjects: &[Subject]) -> BTreeSet<Source> {
    let devices = subjects.iter().map(|subject| Source::Device(subject.id));
    let rules = policies.into_iter().flatten();
    devices
        .chain(rules.flat_map(|rule| Source::of(&rule.from, subjects)))
        .collect()
}

/// Things that the same rules select, by these rules of the old and the new policy.
struct Kinds<T>(BTreeMap<[BTreeSet<usize>; 2], Vec<T>>);

impl<T> Kinds<T> {
    fn of(
        things: impl IntoIterator<Item = T>,
        policies: [&[&Rule]; 2],
        selects: impl Fn(&T, &Rule) -> bool,
    ) -> Self {
        let mut kinds: BTreeMap<_, Vec<T>> = BTreeMap::new();
        for thing in things {
            let marks = policies.map(|rules| {
                (0..rules.len())
                    .filter(|index| selects(&thing, rules[*index]))
                    .collect::<BTreeSet<_>>()
            });
            kinds.entry(marks).or_default().push(thing);
        }
        Self(kinds)
    }
}

fn flows(rules: &[&Rule], begins: &BTreeSet<usize>, leads: &BTreeSet<usize>) -> Flows {
    let mut flows = Flows::default();
    for rule in begins.intersection(leads).map(|index| rules[*index]) {
        flows.add(&Flows::of(rule.proto, &rule.ports));
    }
    flows
}

struct Listing<'a> {
    names: BTreeMap<DeviceId, &'a DeviceName>,
    listed: Vec<Reach>,
    total: u64,
}

impl<'a> Listing<'a> {
    fn new(subjects: &'a [Subject]) -> Self {
        let names = subjects
            .iter()
            .map(|subject| (subject.id, &subject.name))
            .collect();
        Self {
            names,
            listed: Vec::new(),
            total: 0,
        }
    }

    fn add(&mut self, from: &[Source], to: &[&Subject], flows: &Flows) {
        let parts = flows.parts();
        if parts.is_empty() {
            return;
        }
        for from in from {
            for to in to.iter().filter(|to| *from != Source::Device(to.id)) {
                self.total += parts.len() as u64;
                for (proto, ports) in parts.iter().take(LISTED.saturating_sub(self.listed.len())) {
                    self.listed.push(Reach {
                        from: self.name(*from),
                        to: to.name.clone(),
                        proto: *proto,
                        ports: ports.clone(),
                    });
                }
            }
        }
    }

    fn name(&self, source: Source) -> String {
        match source {
            Source::Device(id) => self
                .names
                .get(&id)
                .map_or_else(|| id.to_string(), ToString::to_string),
            Source::Range(range) => range.to_string(),
        }
    }

    fn sorted(mut self) -> Vec<Reach> {
        self.listed.sort();
        self.listed
    }
}
