//! The tests that people write into a policy, so that no later edit opens or closes a connection by mistake.

use crate::{
    Subject,
    flows::Flows,
    in_force,
    kinds::{RuleSet, by_kind},
    select::{Source, any_selects, selects},
};
use flotilla_protocol::{
    api::FailedTest,
    policy::{Expect, Policy, PolicyTest, Proto, Rule, Selector},
};
use std::collections::BTreeSet;

/// The tests that this policy fails. A test whose selectors match nothing passes; [`crate::warnings`] names it.
pub fn run_tests(policy: &Policy, subjects: &[Subject]) -> Vec<FailedTest> {
    let rules: Vec<_> = in_force(policy).collect();
    let failing = policy.tests.iter().filter(|test| !passes(&rules, subjects, test));
    failing
        .map(|test| FailedTest {
            test: test.clone(),
            message: format!("the test \"{}\" would fail", sentence(test)),
        })
        .collect()
}

/// A test in words: `laptop can reach nas on tcp 22`.
pub fn sentence(test: &PolicyTest) -> String {
    let plain = |selector: &Selector| match selector {
        Selector::Device(name) => name.to_string(),
        other => other.to_string(),
    };
    let can = match test.expect {
        Expect::Allow => "can",
        Expect::Deny => "cannot",
    };
    let flow = match (test.proto, test.port) {
        (Proto::Any, _) => String::new(),
        (proto, None) => format!(" on {proto}"),
        (proto, Some(port)) => format!(" on {proto} {port}"),
    };
    format!("{} {can} reach {}{flow}", plain(&test.from), plain(&test.to))
}

/// The sources and destinations of the flows that a test is about.
fn ends<'a>(test: &PolicyTest, subjects: &'a [Subject]) -> (Vec<Source<'a>>, Vec<&'a Subject>) {
    let sources = Source::of(std::slice::from_ref(&test.from), subjects);
    let destinations = subjects.iter().filter(|s| selects(&test.to, s));
    (sources, destinations.collect())
}

/// Whether a test matches any pair of ends.
pub(crate) fn is_about_any(test: &PolicyTest, subjects: &[Subject]) -> bool {
    let (sources, destinations) = ends(test, subjects);
    has_pair(&sources, &destinations)
}

fn has_pair(sources: &[Source<'_>], destinations: &[&Subject]) -> bool {
    sources
        .iter()
        .any(|from| destinations.iter().any(|to| !from.is(to)))
}

fn passes(rules: &[&Rule], subjects: &[Subject], test: &PolicyTest) -> bool {
    let (sources, destinations) = ends(test, subjects);
    let sources = by_kind(sources, |source| {
        RuleSet::of(rules, |rule| match test.expect {
            Expect::Allow => source.is_within(&rule.from),
            Expect::Deny => source.meets(&rule.from),
        })
    });
    let destinations = by_kind(destinations, |to| {
        RuleSet::of(rules, |rule| any_selects(&rule.to, to))
    });
    let pairs = sources
        .iter()
        .flat_map(|from| destinations.iter().map(move |to| (from, to)))
        .filter(|((_, from), (_, to))| has_pair(from, to));
    let applying: BTreeSet<_> = pairs
        .map(|((begins, _), (leads, _))| begins.common(leads))
        .collect();
    let asked = Flows::asked(test.proto, test.port);
    applying.iter().all(|marks| {
        let flows = Flows::of_all(marks.iter().map(|index| rules[index]));
        match test.expect {
            Expect::Allow => flows.holds(&asked),
            Expect::Deny => !flows.meets(&asked),
        }
    })
}
