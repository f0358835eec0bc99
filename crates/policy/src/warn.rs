//! Parts of a policy that have no effect at present. They are no errors, because the fleet may change.

use crate::{
    Subject, guard, in_force,
    select::{any_selects, selects},
};
use flotilla_protocol::policy::{Policy, Selector};

/// Sentences about rules to devices that nothing can reach, and about selectors that select nothing.
pub fn warnings(policy: &Policy, subjects: &[Subject]) -> Vec<String> {
    let deaf: Vec<_> = subjects
        .iter()
        .filter(|s| !s.is_reachable() && in_force(policy).any(|rule| any_selects(&rule.to, s)))
        .map(|s| s.name.as_str())
        .collect();
    let deaf = (!deaf.is_empty()).then(|| {
        format!(
            "Unreachable because of their network mode, whatever the rules say: {}.",
            deaf.join(", ")
        )
    });
    let rules = in_force(policy).flat_map(|rule| {
        let from = rule.from.iter().filter(|s| !matches!(s, Selector::Range(_)));
        from.chain(&rule.to)
            .filter(|selector| selects_nothing(selector, subjects))
            .map(|selector| {
                format!(
                    "Rule \"{}\": {selector} {}.",
                    rule.name,
                    explain_empty(selector, subjects)
                )
            })
    });
    let tests = policy
        .tests
        .iter()
        .filter(|test| !guard::is_about_any(test, subjects))
        .map(|test| {
            format!(
                "The test \"{}\" is about no two devices now.",
                guard::sentence(test)
            )
        });
    deaf.into_iter().chain(rules).chain(tests).collect()
}

fn selects_nothing(selector: &Selector, subjects: &[Subject]) -> bool {
    *selector != Selector::Any && !subjects.iter().any(|subject| selects(selector, subject))
}

/// What to say about a selector that selects nothing.
fn explain_empty(selector: &Selector, subjects: &[Subject]) -> &'static str {
    let is_early = matches!(selector, Selector::User(_)) && subjects.iter().all(|s| s.user.is_none());
    if is_early {
        "means no device, because no device belongs to a user yet; name devices or tags instead"
    } else {
        "means no device now"
    }
}
