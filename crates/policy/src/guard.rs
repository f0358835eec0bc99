//! The tests that people write into a policy, so that no later edit opens or closes what must stay.

use crate::{
    Subject,
    flows::Flows,
    in_force,
    select::{Source, any_selects, selects},
};
use flotilla_protocol::{
    api::FailedTest,
    id::DeviceId,
    policy::{Expect, Policy, PolicyTest, Proto, Selector},
};

/// The tests that this policy does not pass. A test that selects nobody passes; [`crate::warnings`] names it.
#[must_use]
pub fn run_tests(policy: &Policy, subjects: &[Subject]) -> Vec<FailedTest> {
    let failing = policy.tests.iter().filter(|test| !passes(policy, subjects, test));
    failing
        .map(|test| FailedTest {
            test: test.clone(),
            message: format!("the test \"{}\" would fail", sentence(test)),
        })
        .collect()
}

/// A test in words: `laptop can reach nas on tcp 22`.
#[must_use]
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

/// The pairs that a test is about.
pub(crate) fn pairs(test: &PolicyTest, subjects: &[Subject]) -> Vec<(Source, DeviceId)> {
    let sources = Source::of(std::slice::from_ref(&test.from), subjects);
    let to: Vec<_> = subjects
        .iter()
        .filter(|s| selects(&test.to, s))
        .map(|s| s.id)
        .collect();
    sources
        .into_iter()
        .flat_map(|from| to.iter().map(move |to| (from, *to)))
        .filter(|(from, to)| *from != Source::Device(*to))
        .collect()
}

fn passes(policy: &Policy, subjects: &[Subject], test: &PolicyTest) -> bool {
    let asked = Flows::asked(test.proto, test.port);
    pairs(test, subjects)
        .into_iter()
        .all(|(from, to)| match test.expect {
            Expect::Allow => allowed(policy, subjects, from, to).holds(&asked),
            Expect::Deny => !touched(policy, subjects, from, to).meets(&asked),
        })
}

/// What all of `from` may open to `to`.
pub(crate) fn allowed(policy: &Policy, subjects: &[Subject], from: Source, to: DeviceId) -> Flows {
    collect(policy, subjects, to, |selectors| {
        from.is_within(selectors, subjects)
    })
}

/// What any of `from` may open to `to`.
fn touched(policy: &Policy, subjects: &[Subject], from: Source, to: DeviceId) -> Flows {
    collect(policy, subjects, to, |selectors| from.meets(selectors, subjects))
}

fn collect(
    policy: &Policy,
    subjects: &[Subject],
    to: DeviceId,
    begins: impl Fn(&[Selector]) -> bool,
) -> Flows {
    let mut flows = Flows::default();
    let Some(to) = crate::find(subjects, to) else {
        return flows;
    };
    for rule in in_force(policy).filter(|rule| begins(&rule.from) && any_selects(&rule.to, to)) {
        flows.add(&Flows::of(rule.proto, &rule.ports));
    }
    flows
}
