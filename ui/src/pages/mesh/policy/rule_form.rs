//! The drawer that edits a rule.

use super::{
    Forms,
    compare::{Meanwhile, meanwhile},
    draft::{PolicyDraft, devices_text, known_selectors, unreachable_devices_of},
};
use crate::{
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        drawer::Drawer,
        error_state::Notice,
        field::Field,
        focus::focus_when_shown,
        icon::{Icon, lucide},
        select::Select,
        taginput::{TagInput, WordKind},
    },
    copy::policy as copy,
};
use flotilla_policy::check;
use flotilla_protocol::policy::{Policy, PortRange, Ports, Proto, Rule, Selector};
use leptos::{ev::SubmitEvent, html, prelude::*};

const SELECTORS: WordKind = WordKind {
    noun: "selector",
    create: "Use",
    wrong: copy::SELECTOR,
    is_valid: |text| text.parse::<Selector>().is_ok(),
};

/// The typed fields, which become a rule if they are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RuleInput {
    name: String,
    from: Vec<String>,
    to: Vec<String>,
    proto: String,
    ports: String,
    enabled: bool,
}

impl RuleInput {
    fn of(rule: Option<&Rule>) -> Self {
        let words = |selectors: &[Selector]| selectors.iter().map(ToString::to_string).collect();
        match rule {
            Some(rule) => Self {
                name: rule.name.clone(),
                from: words(&rule.from),
                to: words(&rule.to),
                proto: rule.proto.to_string(),
                ports: rule.ports.to_string(),
                enabled: rule.enabled,
            },
            None => Self {
                name: String::new(),
                from: Vec::new(),
                to: Vec::new(),
                proto: Proto::Tcp.to_string(),
                ports: "any".to_owned(),
                enabled: true,
            },
        }
    }

    fn rule(&self) -> Result<Rule, FieldError> {
        let selectors = |words: &[String]| words.iter().filter_map(|word| word.parse().ok()).collect();
        let proto: Proto = self.proto.parse().unwrap_or_default();
        Ok(Rule {
            name: self.name.trim().to_owned(),
            enabled: self.enabled,
            from: selectors(&self.from),
            to: selectors(&self.to),
            proto,
            // For a protocol without ports the field is not shown, so its text is ignored.
            ports: if proto.has_ports() {
                ports(&self.ports)?
            } else {
                Ports::Any
            },
        })
    }
}

/// A field and its error.
type FieldError = (String, String);

fn ports(text: &str) -> Result<Ports, FieldError> {
    let text = text.trim();
    if text.is_empty() || text == "any" {
        return Ok(Ports::Any);
    }
    let ranges: Result<Vec<PortRange>, _> = text
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect();
    ranges
        .map(Ports::Only)
        .map_err(|invalid| ("ports".to_owned(), invalid.to_string()))
}

/// The policy with the typed rule in place of the one that has the name `opened`, or added; else the error of a field
/// of the rule.
fn with_rule(mut policy: Policy, opened: Option<&str>, typed: &RuleInput) -> Result<Policy, FieldError> {
    let rule = typed.rule()?;
    let has_name = |name: &str| policy.rules.iter().position(|known| known.name == name);
    let at = opened.and_then(has_name).unwrap_or(policy.rules.len());
    if has_name(&rule.name).is_some_and(|taken| taken != at) {
        return Err(("name".to_owned(), copy::NAME_TAKEN.to_owned()));
    }
    if at == policy.rules.len() {
        policy.rules.push(rule);
    } else {
        policy.rules[at] = rule;
    }
    let own = format!("rules[{at}].");
    match check(&policy) {
        Err(flaw) if flaw.field().starts_with(&own) => {
            Err((flaw.field()[own.len()..].to_owned(), flaw.to_string()))
        }
        _ => Ok(policy),
    }
}

/// The form for the rule with the name `opened`, or for a new one. It keeps what is typed when the policy changes.
#[component]
pub(super) fn RuleForm(draft: PolicyDraft, forms: Forms, opened: Option<String>) -> impl IntoView {
    let first = opened.as_ref().and_then(|name| {
        draft
            .policy
            .with_untracked(|policy| policy.rules.iter().find(|rule| rule.name == *name).cloned())
    });
    let title = opened.clone().unwrap_or_else(|| copy::NEW_RULE.to_owned());
    let untouched = RuleInput::of(first.as_ref());
    let typed = RwSignal::new(untouched.clone());
    let edited = Memo::new(move |_| typed.with(|typed| *typed != untouched));
    let opened = StoredValue::new(opened);
    let outcome = move |policy: &Policy| {
        opened.with_value(|opened| typed.with(|typed| with_rule(policy.clone(), opened.as_deref(), typed)))
    };
    let checked = RwSignal::new(false);
    let wrong = Memo::new(move |_| draft.policy.with(outcome).err().filter(|_| checked.get()));
    let error = move |field: &'static str| {
        Signal::derive(move || {
            wrong
                .get()
                .filter(|(wrong, _)| wrong == field)
                .map(|(_, message)| message)
        })
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        checked.set(true);
        if let Ok(policy) = untrack(|| draft.policy.with(outcome)) {
            draft.policy.set(policy);
            forms.close();
        }
    };
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let read = move |part: fn(&RuleInput) -> String| Signal::derive(move || typed.with(part));
    let unreachable =
        move || typed.with(|typed| typed.rule().ok().and_then(|rule| unreachable_devices_of(&rule)));
    view! {
        <Drawer name=title is_form=true edited=forms.follow(edited) on_close=move || forms.close()>
            <form on:submit=submit novalidate>
                {first.map(|first| view! { <WhatHappened draft rule=first/> })}
                <Field label=copy::RULE_NAME value=read(|typed| typed.name.clone()) required=true error=error("name") node_ref=field
                    on_input=move |text| typed.update(|typed| typed.name = text)/>
                <Selectors label=copy::FROM value=Signal::derive(move || typed.with(|typed| typed.from.clone())) error=error("from")
                    on_change=move |words| typed.update(|typed| typed.from = words)/>
                <Selectors label=copy::TO value=Signal::derive(move || typed.with(|typed| typed.to.clone())) error=error("to")
                    on_change=move |words| typed.update(|typed| typed.to = words)/>
                {move || unreachable().map(|unreachable| view! { <p class="caption warn">{unreachable}</p> })}
                <Allowed typed wrong=error("ports")/>
                <div class="actions">
                    <Button label=copy::CANCEL on_press=move || forms.close()/>
                    <Button label=copy::APPLY_RULE kind=ButtonKind::Primary submit=true/>
                </div>
            </form>
        </Drawer>
    }
}

/// A notice that the rule was changed or removed elsewhere since the form was opened with it.
#[component]
fn WhatHappened(draft: PolicyDraft, rule: Rule) -> impl IntoView {
    let happened = Memo::new(move |_| draft.policy.with(|policy| meanwhile(&rule, policy)));
    move || {
        let text = match happened.get()? {
            Meanwhile::Changed(rule) => copy::rule_changed(&rule),
            Meanwhile::Removed => copy::RULE_REMOVED.to_owned(),
        };
        Some(view! { <Notice tone=Tone::Warn text/> })
    }
}

/// The fields for protocol, ports, and whether the rule is enabled.
#[component]
fn Allowed(typed: RwSignal<RuleInput>, wrong: Signal<Option<String>>) -> impl IntoView {
    let has_ports = Memo::new(move |_| typed.with(|typed| typed.proto.parse().is_ok_and(Proto::has_ports)));
    let ports = Signal::derive(move || typed.with(|typed| typed.ports.clone()));
    view! {
        <Select label=copy::PROTOCOL options=copy::protocols() value=Signal::derive(move || typed.with(|typed| typed.proto.clone()))
            on_change=move |proto| typed.update(|typed| typed.proto = proto)/>
        {move || has_ports.get().then(|| view! {
            <Field label=copy::PORTS hint=copy::PORTS_HINT value=ports verbatim=true error=wrong
                on_input=move |text| typed.update(|typed| typed.ports = text)/>
        })}
        <label class="toggle">
            <input type="checkbox" prop:checked=move || typed.with(|typed| typed.enabled)
                on:change=move |_| typed.update(|typed| typed.enabled = !typed.enabled)/>
            <span class="title">{copy::ENABLED}</span>
        </label>
    }
}

/// A field for selectors, with the devices that they select now.
#[component]
fn Selectors(
    label: &'static str,
    value: Signal<Vec<String>>,
    error: Signal<Option<String>>,
    #[prop(into)] on_change: Callback<(Vec<String>,)>,
) -> impl IntoView {
    let meaning = move || {
        let selectors: Vec<Selector> =
            value.with(|words| words.iter().filter_map(|word| word.parse().ok()).collect());
        (!selectors.is_empty()).then(|| devices_text(&selectors))
    };
    view! {
        <div class="field">
            <TagInput label tags=value known=Signal::derive(known_selectors) on_change kind=SELECTORS/>
            <p class="hint">{meaning}</p>
            {move || error.get().map(|error| view! { <p class="field-error" role="alert"><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(change: impl FnOnce(&mut RuleInput)) -> RuleInput {
        let mut typed = RuleInput::of(None);
        typed.name = " web ".to_owned();
        typed.from = vec!["tag:laptop".to_owned()];
        typed.to = vec!["any".to_owned()];
        change(&mut typed);
        typed
    }

    fn wrong(change: impl FnOnce(&mut RuleInput)) -> String {
        with_rule(Policy::default(), None, &typed(change)).unwrap_err().0
    }

    #[test]
    fn what_is_typed_becomes_a_rule() {
        let policy = with_rule(
            Policy::default(),
            None,
            &typed(|typed| typed.ports = "80, 8000-8010".to_owned()),
        );
        let rule = &policy.unwrap().rules[0];
        assert_eq!(
            (rule.name.as_str(), rule.ports.to_string().as_str()),
            ("web", "80, 8000-8010")
        );
        let again = RuleInput::of(Some(rule)).rule().unwrap();
        assert_eq!(again, *rule);
        // Ports that were typed before the protocol changed are ignored.
        let ping = typed(|typed| {
            typed.ports = "x".to_owned();
            typed.proto = "icmp".to_owned()
        })
        .rule()
        .unwrap();
        assert_eq!(ping.ports, Ports::Any);
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        assert_eq!(wrong(|typed| typed.name.clear()), "name");
        assert_eq!(wrong(|typed| typed.from.clear()), "from");
        assert_eq!(wrong(|typed| typed.to.clear()), "to");
        assert_eq!(wrong(|typed| typed.ports = "http".to_owned()), "ports");
        let one = with_rule(Policy::default(), None, &typed(|_| ())).unwrap();
        assert_eq!(
            with_rule(one.clone(), None, &typed(|_| ())).unwrap_err().0,
            "name"
        );
        assert_eq!(
            with_rule(one, Some("web"), &typed(|_| ())).unwrap().rules.len(),
            1
        );
    }

    #[test]
    fn a_rule_replaces_the_one_with_its_name_wherever_that_is_and_is_added_if_it_is_gone() {
        let other = typed(|typed| typed.name = "ssh".to_owned());
        let policy = with_rule(Policy::default(), None, &typed(|_| ())).unwrap();
        let policy = with_rule(policy, None, &other).unwrap();
        let mut moved = policy.clone();
        moved.rules.reverse();
        let renamed = typed(|typed| typed.name = "http".to_owned());
        let names = |policy: Policy| {
            let names: Vec<_> = policy.rules.into_iter().map(|rule| rule.name).collect();
            names.join(" ")
        };
        assert_eq!(
            names(with_rule(moved, Some("web"), &renamed).unwrap()),
            "ssh http"
        );
        let mut gone = policy;
        gone.rules.remove(0);
        assert_eq!(names(with_rule(gone, Some("web"), &renamed).unwrap()), "ssh http");
    }
}
