//! The drawer that edits a rule.

use super::draft::{PolicyDraft, devices_text, known_selectors, unreachable_devices_of};
use crate::{
    components::{
        button::{Button, ButtonKind},
        field::Field,
        focus::focus_when_shown,
        icon::{Icon, lucide},
        select::Select,
        taginput::{TagInput, WordKind},
    },
    copy::{policy as copy, table},
};
use flotilla_policy::check;
use flotilla_protocol::policy::{Policy, PortRange, Ports, Proto, Rule, Selector};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};

const SELECTORS: WordKind = WordKind {
    noun: "selector",
    create: "Use",
    wrong: copy::SELECTOR,
    is_valid: |text| text.parse::<Selector>().is_ok(),
};

/// The typed fields, which become a rule if they are valid.
#[derive(Debug, Clone)]
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

/// The policy with the rule at `index`, or added without one; else the error of a field of the rule.
fn with_rule(mut policy: Policy, index: Option<usize>, typed: &RuleInput) -> Result<Policy, FieldError> {
    let rule = typed.rule()?;
    let at = index
        .filter(|index| *index < policy.rules.len())
        .unwrap_or(policy.rules.len());
    let taken = policy
        .rules
        .iter()
        .enumerate()
        .any(|(other, known)| other != at && known.name == rule.name);
    if taken {
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

#[component]
pub(super) fn RuleForm(draft: PolicyDraft, index: Option<usize>, on_close: Callback<()>) -> impl IntoView {
    let first = draft
        .policy
        .with_untracked(|policy| index.and_then(|index| policy.rules.get(index)).cloned());
    let title = first
        .as_ref()
        .map_or_else(|| copy::NEW_RULE.to_owned(), |rule| rule.name.clone());
    let typed = RwSignal::new(RuleInput::of(first.as_ref()));
    let checked = RwSignal::new(false);
    let wrong = Memo::new(move |_| {
        let outcome = draft
            .policy
            .with(|policy| typed.with(|typed| with_rule(policy.clone(), index, typed)));
        outcome.err().filter(|_| checked.get())
    });
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
        let outcome = draft
            .policy
            .with_untracked(|policy| typed.with_untracked(|typed| with_rule(policy.clone(), index, typed)));
        if let Ok(policy) = outcome {
            draft.policy.set(policy);
            on_close.run(());
        }
    };
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let read = move |part: fn(&RuleInput) -> String| Signal::derive(move || typed.with(part));
    let unreachable =
        move || typed.with(|typed| typed.rule().ok().and_then(|rule| unreachable_devices_of(&rule)));
    view! {
        <EditorDrawer title on_close>
            <form on:submit=submit novalidate>
                <Field label=copy::RULE_NAME value=read(|typed| typed.name.clone()) required=true error=error("name") node_ref=field
                    on_input=move |text| typed.update(|typed| typed.name = text)/>
                <Selectors label=copy::FROM value=Signal::derive(move || typed.with(|typed| typed.from.clone())) error=error("from")
                    on_change=move |words| typed.update(|typed| typed.from = words)/>
                <Selectors label=copy::TO value=Signal::derive(move || typed.with(|typed| typed.to.clone())) error=error("to")
                    on_change=move |words| typed.update(|typed| typed.to = words)/>
                {move || unreachable().map(|unreachable| view! { <p class="caption warn">{unreachable}</p> })}
                <Allowed typed wrong=error("ports")/>
                <div class="actions">
                    <Button label=copy::CANCEL on_press=move || on_close.run(())/>
                    <Button label=copy::APPLY_RULE kind=ButtonKind::Primary submit=true/>
                </div>
            </form>
        </EditorDrawer>
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

/// A drawer beside the sentences. Escape closes it.
#[component]
pub(super) fn EditorDrawer(
    #[prop(into)] title: String,
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            on_close.run(());
        }
    };
    view! {
        <aside class="drawer editor" aria-label=table::details_of(&title) on:keydown=keys>
            <header><h2>{title.clone()}</h2></header>
            {children()}
        </aside>
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
        assert_eq!(with_rule(one, Some(0), &typed(|_| ())).unwrap().rules.len(), 1);
    }
}
