//! Why one device may or may not reach another: the rule that decides, or the rules that nearly match.

use crate::{Subject, check::has_sound_ports, evaluate, find, flows::Flows, in_force, select::any_selects};
use flotilla_protocol::{
    api::{Explanation, NearRule},
    id::DeviceId,
    policy::{Policy, Ports, Proto, Rule, Selector},
};

/// The most rules in an explanation; more would not help.
const NEAREST: usize = 3;

/// Explains without the path, which the caller adds: this crate does not know how packets travel.
pub fn explain(
    policy: &Policy,
    subjects: &[Subject],
    from: DeviceId,
    to: DeviceId,
    proto: Proto,
    port: Option<u16>,
) -> Explanation {
    let answer = |allowed, rule, message| Explanation {
        allowed,
        rule,
        message,
        nearest: Vec::new(),
        path: None,
    };
    if from == to {
        return answer(
            true,
            None,
            "A device reaches itself, whatever the rules say".to_owned(),
        );
    }
    if let Some(rule) = evaluate(policy, subjects, from, to, proto, port).allowed_by {
        let message = format!("Allowed by rule {rule}");
        return answer(true, Some(rule), message);
    }
    let Some((source, destination)) = find(subjects, from).zip(find(subjects, to)) else {
        return answer(
            false,
            None,
            "Blocked: one of the two is no device of this fleet".to_owned(),
        );
    };
    let asked = Flows::asked(proto, port);
    let applying: Vec<_> = in_force(policy)
        .filter(|rule| any_selects(&rule.from, source) && any_selects(&rule.to, destination))
        .collect();
    if Flows::of_all(applying.iter().copied()).holds(&asked) {
        let names: Vec<_> = applying.iter().map(|rule| rule.name.as_str()).collect();
        return answer(
            true,
            None,
            format!("Allowed by rules {} together", names.join(", ")),
        );
    }
    Explanation {
        nearest: nearest(policy, source, destination, &asked),
        ..answer(false, None, "Blocked: no rule matches".to_owned())
    }
}

fn nearest(policy: &Policy, from: &Subject, to: &Subject, asked: &Flows) -> Vec<NearRule> {
    let mut near: Vec<_> = policy
        .rules
        .iter()
        .filter(|rule| has_sound_ports(rule))
        .filter_map(|rule| differences(rule, from, to, asked).map(|differs| (rule, differs)))
        .collect();
    near.sort_by_key(|(_, differs)| differs.len());
    near.truncate(NEAREST);
    near.into_iter()
        .map(|(rule, differs)| NearRule {
            rule: rule.name.clone(),
            differs,
        })
        .collect()
}

/// What would have to change in the rule for it to match; `None` for a rule that matches neither end.
fn differences(rule: &Rule, from: &Subject, to: &Subject, asked: &Flows) -> Option<Vec<String>> {
    let (begins, leads) = (any_selects(&rule.from, from), any_selects(&rule.to, to));
    let is_reverse = any_selects(&rule.from, to) && any_selects(&rule.to, from);
    let mut differs = Vec::new();
    match (begins, leads) {
        (true, true) => {}
        _ if is_reverse => {
            differs.push(format!(
                "it lets {} reach {}, which is the other direction",
                to.name, from.name
            ));
        }
        (false, false) => return None,
        (false, true) => differs.push(format!("it begins at {}, not at {}", list(&rule.from), from.name)),
        (true, false) => differs.push(format!("it leads to {}, not to {}", list(&rule.to), to.name)),
    }
    if !rule.enabled {
        differs.push("it is switched off".to_owned());
    }
    if !Flows::of(rule.proto, &Ports::Any).holds(asked) {
        differs.push(format!("its protocol is {}", rule.proto));
    } else if !Flows::of(rule.proto, &rule.ports).holds(asked) {
        differs.push(format!("its ports are {}", rule.ports));
    }
    Some(differs)
}

fn list(selectors: &[Selector]) -> String {
    selectors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
