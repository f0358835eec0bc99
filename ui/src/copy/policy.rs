//! Texts about the access policy: rules as sentences, tests, reviews, explanations.

use crate::format::{count, counted};
use flotilla_protocol::{
    api::Reach,
    policy::{Expect, PolicyTest, Ports, Proto, Rule, Selector},
};

pub const RULES: &str = "Rules";
pub const ADD_RULE: &str = "Add rule";
pub const ORDER: &str =
    "Rules only allow, and they add up: their order means nothing. What no rule allows is blocked.";
pub const NO_RULES: &str = "No rules";
pub const NO_RULES_TEXT: &str = "Devices can't reach each other until a rule allows it.";
pub const LOADING: &str = "Asking the controller for the policy…";
pub const OFF: &str = "Off";
pub const TESTS: &str = "Tests";
pub const TESTS_TEXT: &str = "A policy that breaks a test is not saved.";
pub const ADD_TEST: &str = "Add test";
pub const PASSES: &str = "Passes";
pub const FAILS: &str = "Fails";
pub const REVIEW: &str = "Review policy";
pub const SAVE: &str = "Save policy";
pub const DISCARD: &str = "Discard changes";
pub const UNCHANGED: &str = "Nothing has changed.";
pub const CHANGED: &str = "There are changes that are not saved.";
pub const FORM_OPEN: &str = "Keep or cancel what you are editing first.";
pub const COMPARE: &str = "Compare";
pub const COMPARE_TITLE: &str = "Two people changed the policy";
pub const YOURS: &str = "Your changes";
pub const PUT_ON_TOP: &str = "Put my changes on top";
pub const RULE_REMOVED: &str = "This rule was removed while you were editing. Keeping yours adds it again.";
pub const CLOSE: &str = "Close";
pub const CANCEL: &str = "Cancel";

pub const NEW_RULE: &str = "New rule";
pub const RULE_NAME: &str = "Rule name";
pub const FROM: &str = "From";
pub const TO: &str = "To";
pub const PROTOCOL: &str = "Protocol";
pub const PORTS: &str = "Ports";
pub const PORT: &str = "Port";
pub const PORTS_HINT: &str = "any, or numbers and ranges: 80, 443, 8000-8010";
pub const PORT_HINT: &str = "A number, or empty for every port";
pub const ENABLED: &str = "Enabled";
pub const APPLY_RULE: &str = "Keep rule";
pub const NEW_TEST: &str = "New test";
pub const EXPECTED: &str = "Expected";
pub const ALLOWED: &str = "Allowed";
pub const BLOCKED: &str = "Blocked";
pub const APPLY_TEST: &str = "Keep test";
pub const SELECTOR: &str = "any, tag:NAME, tag:A+tag:B, device:NAME, user:NAME or cidr:RANGE";
pub const NAME_TAKEN: &str = "There is a rule with this name already.";

pub const REVIEW_TITLE: &str = "What this policy changes";
pub const OPENS: &str = "Opens";
pub const CLOSES: &str = "Closes";
pub const CUTS: &str = "Cuts live connections";
pub const NOTHING: &str = "Nothing changes between devices.";
pub const FAILING: &str = "Tests that would fail";

pub const CAN: &str = "Can";
pub const REACH: &str = "reach";
pub const ON: &str = "on";
pub const ON_WRONG: &str = "Write tcp 22, udp 53, icmp or any.";
pub const CHECK: &str = "Check";
pub const EXPLAIN: &str = "Explain access";
pub const SAME: &str = "Choose two different devices.";
pub const NEAREST: &str = "Nearest rules";

/// The options for a protocol: values and labels.
#[must_use]
pub fn protocols() -> Vec<(String, String)> {
    let words = |proto: &Proto| match proto {
        Proto::Any => "every protocol".to_owned(),
        other => other.to_string(),
    };
    Proto::ALL
        .iter()
        .map(|proto| (proto.to_string(), words(proto)))
        .collect()
}

/// A part of a sentence, and whether it is a name, which is shown in bold.
pub type Part = (String, bool);

/// A rule as a sentence: "Devices tagged **laptop** may reach devices tagged **web** on **tcp 443**".
#[must_use]
pub fn sentence(rule: &Rule) -> Vec<Part> {
    let mut parts = group(&rule.from);
    if let Some((first, _)) = parts.first_mut()
        && first.starts_with(char::is_lowercase)
        && matches!(
            rule.from[0],
            Selector::Any | Selector::Tags(_) | Selector::User(_) | Selector::Range(_)
        )
    {
        first[..1].make_ascii_uppercase();
    }
    parts.push((" may reach ".to_owned(), false));
    parts.extend(group(&rule.to));
    parts.push((" on ".to_owned(), false));
    parts.push((flow(rule.proto, &rule.ports), true));
    parts
}

/// A sentence as plain text.
#[must_use]
pub fn plain(parts: &[Part]) -> String {
    parts.iter().map(|(text, _)| text.as_str()).collect()
}

fn group(selectors: &[Selector]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (index, selector) in selectors.iter().enumerate() {
        if index > 0 {
            parts.push((
                if index + 1 == selectors.len() {
                    " or "
                } else {
                    ", "
                }
                .to_owned(),
                false,
            ));
        }
        let (lead, name) = match selector {
            Selector::Any => ("", "every device".to_owned()),
            Selector::Tags(tags) => {
                let tags: Vec<_> = tags.iter().map(|tag| tag.as_str()).collect();
                ("devices tagged ", tags.join(" and "))
            }
            Selector::Device(name) => ("", name.to_string()),
            Selector::User(name) => ("devices of ", name.clone()),
            Selector::Range(range) => ("addresses in ", range.to_string()),
        };
        if *selector == Selector::Any {
            parts.push((name, false));
            continue;
        }
        if !lead.is_empty() {
            parts.push((lead.to_owned(), false));
        }
        parts.push((name, true));
    }
    parts
}

fn flow(proto: Proto, ports: &Ports) -> String {
    match (proto, ports) {
        (Proto::Any, _) => "everything".to_owned(),
        (Proto::Icmp, _) => "icmp".to_owned(),
        (proto, Ports::Any) => format!("every {proto} port"),
        (proto, ports) => format!("{proto} {ports}"),
    }
}

/// "laptop → nas tcp 22 is blocked".
#[must_use]
pub fn test(test: &PolicyTest) -> String {
    let short = |selector: &Selector| match selector {
        Selector::Device(name) => name.to_string(),
        other => other.to_string(),
    };
    let flow = match (test.proto, test.port) {
        (Proto::Any, _) => String::new(),
        (proto, None) => format!(" {proto}"),
        (proto, Some(port)) => format!(" {proto} {port}"),
    };
    let is = match test.expect {
        Expect::Allow => "is allowed",
        Expect::Deny => "is blocked",
    };
    format!("{} → {}{flow} {is}", short(&test.from), short(&test.to))
}

/// "laptop → nas tcp 22".
#[must_use]
pub fn reach(reach: &Reach) -> String {
    let on = match (reach.proto, reach.ports.as_str()) {
        (Proto::Any, "any") => "everything".to_owned(),
        (Proto::Any, ports) => ports.to_owned(),
        (proto, "any") => proto.to_string(),
        (proto, ports) => format!("{proto} {ports}"),
    };
    format!("{} → {}: {on}", reach.from, reach.to)
}

/// "Opens 3, closes 2, cuts 1 live connection".
#[must_use]
pub fn impact(opens: u64, closes: u64, cuts: usize) -> String {
    let whole = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX));
    format!(
        "Opens {}, closes {}, cuts {}",
        whole(opens),
        whole(closes),
        counted(cuts, "live connection", "live connections")
    )
}

#[must_use]
pub fn more(number: u64) -> String {
    format!(
        "and {} more",
        count(usize::try_from(number).unwrap_or(usize::MAX))
    )
}

#[must_use]
pub fn edit(rule: &str) -> String {
    format!("Edit rule {rule}")
}

#[must_use]
pub fn remove(rule: &str) -> String {
    format!("Remove rule {rule}")
}

#[must_use]
pub fn remove_test(test: &str) -> String {
    format!("Remove test {test}")
}

#[must_use]
pub fn means(devices: &[&str]) -> String {
    match devices {
        [] => "No device now.".to_owned(),
        few if few.len() <= 4 => format!("Now: {}.", few.join(", ")),
        many => format!("Now: {} and {} more.", many[..3].join(", "), many.len() - 3),
    }
}

#[must_use]
pub fn unreachable(devices: &[&str]) -> String {
    format!("Unreachable in bridge networking: {}", devices.join(", "))
}

#[must_use]
pub fn edited_elsewhere(by: &str, revision: u64) -> String {
    format!("{by} saved revision {revision} while you were editing. Compare both before you save.")
}

/// The rule of an open form, as it was saved elsewhere.
#[must_use]
pub fn rule_changed(rule: &Rule) -> String {
    let off = if rule.enabled { "" } else { ", and it is off" };
    format!(
        "This rule was changed while you were editing: {}{off}. Keeping yours replaces that.",
        plain(&sentence(rule))
    )
}

/// "Changes web: nas may reach desk on everything".
#[must_use]
pub fn edit_of(name: &str, before: Option<&Rule>, after: Option<&Rule>) -> String {
    let verb = match (before, after) {
        (None, _) => "Adds",
        (_, None) => "Removes",
        _ => "Changes",
    };
    let rule = after.or(before).map(|rule| plain(&sentence(rule)));
    let off = match after {
        Some(rule) if !rule.enabled => ", off",
        _ => "",
    };
    format!("{verb} {name}: {}{off}", rule.unwrap_or_default())
}

#[must_use]
pub fn test_added(added: &PolicyTest) -> String {
    format!("Adds the test {}", test(added))
}

#[must_use]
pub fn test_removed(removed: &PolicyTest) -> String {
    format!("Removes the test {}", test(removed))
}

#[must_use]
pub fn clashes(rules: &[&str]) -> String {
    format!("Both changed {}. Yours would replace theirs.", rules.join(", "))
}

#[must_use]
pub fn in_force(revision: u64, by: &str) -> String {
    format!("Revision {revision}, saved by {by}")
}

#[must_use]
pub fn saved(revision: u64) -> String {
    format!("Saved as revision {revision}.")
}

#[must_use]
pub fn not_saved(message: &str) -> String {
    let message = message.trim_end_matches('.');
    if message.starts_with("Not saved") {
        format!("{message}.")
    } else {
        format!("Not saved: {message}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let web = rule(
            r#"{"name":"web","from":["tag:laptop","device:desk"],"to":["tag:a+tag:b"],"proto":"tcp","ports":[80,443]}"#,
        );
        let parts = sentence(&web);
        assert_eq!(
            plain(&parts),
            "Devices tagged laptop or desk may reach devices tagged a and b on tcp 80, 443"
        );
        let names: Vec<_> = parts
            .iter()
            .filter(|(_, name)| *name)
            .map(|(text, _)| text.as_str())
            .collect();
        assert_eq!(names, ["laptop", "desk", "a and b", "tcp 80, 443"]);
        let any = rule(r#"{"name":"lab","from":["any"],"to":["device:nas"]}"#);
        assert_eq!(plain(&sentence(&any)), "Every device may reach nas on everything");
        let one = rule(r#"{"name":"x","from":["device:nas"],"to":["any"],"proto":"udp"}"#);
        assert_eq!(
            plain(&sentence(&one)),
            "nas may reach every device on every udp port"
        );
    }

    #[test]
    fn a_refusal_is_said_once() {
        let said = "Not saved: the test \"laptop can reach nas on tcp 22\" would fail.";
        assert_eq!(
            not_saved("the test \"laptop can reach nas on tcp 22\" would fail"),
            said
        );
        assert_eq!(not_saved(said), said);
    }

    #[test]
    fn who_is_meant_is_listed_while_it_is_few() {
        assert_eq!(means(&[]), "No device now.");
        assert_eq!(means(&["a", "b"]), "Now: a, b.");
        assert_eq!(means(&["a", "b", "c", "d", "e"]), "Now: a, b, c and 2 more.");
    }
}
