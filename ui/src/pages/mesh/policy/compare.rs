//! What an edit did to the policy, to compare the edits of two people and to put one on top of the other.

use flotilla_protocol::policy::{Policy, PolicyTest, Rule};

/// What was done to a rule. It was added if there is nothing before, and removed if there is nothing after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleEdit {
    pub name: String,
    pub before: Option<Rule>,
    pub after: Option<Rule>,
}

/// Everything that was done to a policy. The order of rules has no meaning, so a change of it is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edits {
    pub rules: Vec<RuleEdit>,
    pub added_tests: Vec<PolicyTest>,
    pub removed_tests: Vec<PolicyTest>,
}

impl Edits {
    pub(super) fn between(from: &Policy, to: &Policy) -> Self {
        let edit = |name: &String| {
            let (before, after) = (named(from, name), named(to, name));
            (before != after).then(|| RuleEdit {
                name: name.clone(),
                before: before.cloned(),
                after: after.cloned(),
            })
        };
        let added = to.rules.iter().filter(|rule| named(from, &rule.name).is_none());
        let names = from.rules.iter().chain(added).map(|rule| &rule.name);
        let only = |these: &Policy, those: &Policy| {
            let tests = these.tests.iter().filter(|test| !those.tests.contains(test));
            tests.cloned().collect()
        };
        Self {
            rules: names.filter_map(edit).collect(),
            added_tests: only(to, from),
            removed_tests: only(from, to),
        }
    }

    /// The names of rules that both edits changed, each in its own way.
    pub(super) fn clashes_with(&self, other: &Self) -> Vec<&str> {
        let differs = |own: &&RuleEdit| {
            let theirs = other.rules.iter().find(|theirs| theirs.name == own.name);
            theirs.is_some_and(|theirs| theirs.after != own.after)
        };
        self.rules
            .iter()
            .filter(differs)
            .map(|own| own.name.as_str())
            .collect()
    }

    /// The policy with these edits, which replace whatever it has in their place.
    pub(super) fn on_top_of(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        for edit in &self.rules {
            let at = policy.rules.iter().position(|rule| rule.name == edit.name);
            match (at, edit.after.clone()) {
                (Some(at), Some(after)) => policy.rules[at] = after,
                (Some(at), None) => drop(policy.rules.remove(at)),
                (None, Some(after)) => policy.rules.push(after),
                (None, None) => {}
            }
        }
        policy.tests.retain(|test| !self.removed_tests.contains(test));
        for test in &self.added_tests {
            if !policy.tests.contains(test) {
                policy.tests.push(test.clone());
            }
        }
        policy
    }
}

/// What happened to a rule since a form with it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meanwhile {
    Changed(Rule),
    Removed,
}

/// Compares the rule that a form was opened with to the same rule of the policy.
pub(super) fn meanwhile(opened: &Rule, policy: &Policy) -> Option<Meanwhile> {
    match named(policy, &opened.name) {
        None => Some(Meanwhile::Removed),
        Some(rule) if rule != opened => Some(Meanwhile::Changed(rule.clone())),
        Some(_) => None,
    }
}

fn named<'a>(policy: &'a Policy, name: &str) -> Option<&'a Rule> {
    policy.rules.iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[(&str, &str)]) -> Policy {
        let rule = |(name, to): &(&str, &str)| {
            let text = format!(r#"{{"name":"{name}","from":["any"],"to":["device:{to}"]}}"#);
            serde_json::from_str(&text).unwrap()
        };
        Policy {
            rules: rules.iter().map(rule).collect(),
            tests: Vec::new(),
        }
    }

    #[test]
    fn edits_of_different_rules_are_put_together() {
        let base = policy(&[("web", "nas"), ("ssh", "nas")]);
        let mine = Edits::between(&base, &policy(&[("web", "desk"), ("ssh", "nas"), ("dns", "pi")]));
        let theirs = policy(&[("web", "nas")]);
        assert!(mine.clashes_with(&Edits::between(&base, &theirs)).is_empty());
        assert_eq!(mine.on_top_of(&theirs), policy(&[("web", "desk"), ("dns", "pi")]));
    }

    #[test]
    fn what_both_changed_is_named_and_the_same_change_is_no_clash() {
        let base = policy(&[("web", "nas"), ("ssh", "nas")]);
        let mine = Edits::between(&base, &policy(&[("web", "desk"), ("ssh", "pi")]));
        let theirs = Edits::between(&base, &policy(&[("ssh", "pi")]));
        assert_eq!(mine.clashes_with(&theirs), ["web"]);
        let theirs = policy(&[("ssh", "pi")]);
        assert_eq!(mine.on_top_of(&theirs).rules.len(), 2);
    }

    #[test]
    fn tests_are_added_and_removed_once() {
        let test: PolicyTest = serde_json::from_str(
            r#"{"from":"device:a","to":"device:b","proto":"tcp","port":22,"expect":"deny"}"#,
        )
        .unwrap();
        let (without, with) = (
            Policy::default(),
            Policy {
                tests: vec![test],
                ..Policy::default()
            },
        );
        assert_eq!(Edits::between(&without, &with).on_top_of(&with), with);
        assert_eq!(Edits::between(&with, &without).on_top_of(&with), without);
        assert_eq!(Edits::between(&with, &with), Edits::default());
    }

    #[test]
    fn a_form_learns_what_happened_to_its_rule() {
        let opened = policy(&[("web", "nas")]).rules.remove(0);
        assert_eq!(
            meanwhile(&opened, &policy(&[("ssh", "pi"), ("web", "nas")])),
            None
        );
        assert_eq!(meanwhile(&opened, &policy(&[])), Some(Meanwhile::Removed));
        assert!(matches!(
            meanwhile(&opened, &policy(&[("web", "pi")])),
            Some(Meanwhile::Changed(_))
        ));
    }
}
