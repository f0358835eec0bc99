//! The effect of replacing a policy: which pairs of devices it opens and closes.
//!
//! Devices that the same rules select are alike, so policies are compared between kinds of devices, and pairs are
//! listed only where something differs.

use crate::{
    Subject,
    flows::Flows,
    guard::run_tests,
    in_force,
    kinds::{RuleSet, by_kind},
    select::{Source, any_selects, strangers},
    warnings,
};
use flotilla_protocol::{
    api::{PolicyReview, Reach},
    policy::{Policy, Proto, Rule},
};
use std::collections::{BTreeMap, BTreeSet};

/// The most opened pairs that a review lists, and the most closed ones; all are counted.
pub const LISTED: usize = 1_000;

/// The difference between two policies. The caller adds which live flows it cuts.
pub fn review(old: &Policy, new: &Policy, subjects: &[Subject]) -> PolicyReview {
    let both = [old, new].map(|policy| in_force(policy).collect::<Vec<_>>());
    let marks = |selects: &dyn Fn(&Rule) -> bool| {
        both.each_ref()
            .map(|rules| RuleSet::of(rules, |rule| selects(rule)))
    };
    let sources = by_kind(all_sources(both.iter().flatten(), subjects), |source| {
        marks(&|rule| source.is_within(&rule.from))
    });
    let destinations = by_kind(subjects, |to| marks(&|rule| any_selects(&rule.to, to)));
    let (mut opens, mut closes) = (Listing::default(), Listing::default());
    let mut differences = BTreeMap::new();
    for (begins, from) in &sources {
        for (leads, to) in &destinations {
            let applying = [0, 1].map(|nth| begins[nth].common(&leads[nth]));
            let (opened, closed) = differences
                .entry(applying)
                .or_insert_with_key(|applying| difference(&both, applying));
            opens.add(from, to, opened);
            closes.add(from, to, closed);
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

fn all_sources<'a>(
    rules: impl Iterator<Item = &'a &'a Rule>,
    subjects: &'a [Subject],
) -> impl Iterator<Item = Source<'a>> {
    let ranges: BTreeSet<_> = rules.flat_map(|rule| strangers(&rule.from, subjects)).collect();
    let devices = subjects.iter().map(Source::Device);
    devices.chain(ranges.into_iter().map(Source::Range))
}

/// Flows as people read them.
type Parts = Vec<(Proto, String)>;

/// The flows that are opened and those that are closed between ends that these rules of the old and of the new policy
/// apply to.
fn difference(policies: &[Vec<&Rule>; 2], applying: &[RuleSet; 2]) -> (Parts, Parts) {
    let [before, after] =
        [0, 1].map(|nth| Flows::of_all(applying[nth].iter().map(|index| policies[nth][index])));
    (after.without(&before).parts(), before.without(&after).parts())
}

#[derive(Default)]
struct Listing {
    listed: Vec<Reach>,
    total: u64,
}

impl Listing {
    fn add(&mut self, from: &[Source<'_>], to: &[&Subject], parts: &Parts) {
        if parts.is_empty() {
            return;
        }
        for from in from {
            for to in to.iter().filter(|to| !from.is(to)) {
                self.total += parts.len() as u64;
                for (proto, ports) in parts.iter().take(LISTED.saturating_sub(self.listed.len())) {
                    self.listed.push(Reach {
                        from: match from {
                            Source::Device(subject) => subject.name.to_string(),
                            Source::Range(range) => range.to_string(),
                        },
                        to: to.name.clone(),
                        proto: *proto,
                        ports: ports.clone(),
                    });
                }
            }
        }
    }

    fn sorted(mut self) -> Vec<Reach> {
        self.listed.sort();
        self.listed
    }
}
