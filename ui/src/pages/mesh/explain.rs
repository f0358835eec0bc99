//! Explaining access: "Can laptop reach nas on tcp 8096?". The answer has the rule that decides and, apart from it, the
//! path of packets.

use crate::{
    components::{
        badge::Tone,
        button::Button,
        error_state::{ErrorState, Notice},
        field::Field,
        select::Select,
    },
    copy::policy as copy,
    store::{Known, ask, use_store},
};
use flotilla_protocol::{
    api::{ExplainAccess, Explanation},
    device::DeviceStatus,
    policy::{Policy, Proto},
};
use leptos::{ev::SubmitEvent, prelude::*};

/// The question and its answer. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccessQuestion {
    from: RwSignal<String>,
    to: RwSignal<String>,
    on: RwSignal<String>,
    /// The policy to explain, if it is edited; else the one in force.
    policy: Signal<Option<Policy>>,
    answer: RwSignal<Known<Explanation>>,
    /// Why the question cannot be asked.
    wrong: RwSignal<Option<&'static str>>,
}

impl AccessQuestion {
    pub(super) fn new(policy: Signal<Option<Policy>>, from: String, to: String) -> Self {
        Self {
            from: RwSignal::new(from),
            to: RwSignal::new(to),
            on: RwSignal::new("tcp 22".to_owned()),
            policy,
            answer: RwSignal::default(),
            wrong: RwSignal::new(None),
        }
    }

    /// Asks the question about two devices.
    pub(super) fn ask_about(self, from: String, to: String) {
        self.from.set(from);
        self.to.set(to);
        self.ask();
    }

    fn ask(self) {
        let (from, to) = (self.from.get_untracked(), self.to.get_untracked());
        if from == to {
            self.wrong.set(Some(copy::SAME));
            return;
        }
        let Some((proto, port)) = self.on.with_untracked(|on| flow(on)) else {
            self.wrong.set(Some(copy::ON_WRONG));
            return;
        };
        self.wrong.set(None);
        let request = ExplainAccess {
            from,
            to,
            proto,
            port,
            policy: self.policy.get_untracked(),
        };
        ask(self.answer, request);
    }
}

/// Parses a protocol with its port: `tcp 22`, `tcp/22`, `icmp`, `any`.
fn flow(text: &str) -> Option<(Proto, Option<u16>)> {
    let text = text.trim().to_ascii_lowercase();
    let (proto, port) = text.split_once([' ', '/']).unwrap_or((&text, ""));
    let proto: Proto = proto.parse().ok()?;
    match port.trim() {
        "" => Some((proto, None)),
        port if proto.has_ports() => Some((proto, Some(port.parse().ok().filter(|port| *port > 0)?))),
        _ => None,
    }
}

/// The form of the question, with the answer below.
#[component]
pub(super) fn Explain(question: AccessQuestion, submit: &'static str) -> impl IntoView {
    let store = use_store();
    let names = Memo::new(move |_| {
        store.devices.with(|devices| {
            let known = devices
                .rows()
                .values()
                .filter(|device| device.status != DeviceStatus::Revoked);
            let mut names: Vec<_> = known.map(|device| device.name.to_string()).collect();
            names.sort();
            names
        })
    });
    Effect::new(move || {
        names.with(|names| {
            for (end, index) in [(question.from, 0), (question.to, 1)] {
                if end.with_untracked(|end| !names.contains(end)) {
                    end.set(names.get(index).or(names.first()).cloned().unwrap_or_default());
                }
            }
        });
    });
    let ask = move |event: SubmitEvent| {
        event.prevent_default();
        question.ask();
    };
    let busy = Memo::new(move |_| question.answer.with(|answer| answer.load().is_going()));
    let answer = move || match question.wrong.get() {
        Some(message) => Some(view! { <ErrorState message/> }.into_any()),
        None => question.answer.with(answer_view),
    };
    let select = move |label: &'static str, end: RwSignal<String>| {
        let options = names
            .get()
            .into_iter()
            .map(|name| (name.clone(), name))
            .collect::<Vec<_>>();
        view! { <Select label options value=end on_change=move |value| end.set(value)/> }
    };
    view! {
        <form class="explain" aria-label=copy::EXPLAIN on:submit=ask novalidate>
            {move || select(copy::CAN, question.from)}
            {move || select(copy::REACH, question.to)}
            <Field label=copy::ON value=question.on verbatim=true on_input=move |text| question.on.set(text)/>
            <Button label=submit submit=true busy/>
        </form>
        <div role="status">{answer}</div>
    }
}

fn answer_view(answer: &Known<Explanation>) -> Option<AnyView> {
    if let Some(failure) = answer.load().failure() {
        return Some(
            view! { <ErrorState message=failure.to_string() details=failure.details()/> }.into_any(),
        );
    }
    let explanation = answer.value()?.clone();
    let tone = if explanation.allowed { Tone::Ok } else { Tone::Bad };
    let near = (!explanation.nearest.is_empty()).then(|| {
        let rule = |near: flotilla_protocol::api::NearRule| {
            view! { <li><strong>{near.rule}</strong>": "{near.differs.join("; ")}</li> }
        };
        let rules = explanation.nearest.into_iter().map(rule).collect_view();
        view! { <div class="nearest"><h3>{copy::NEAREST}</h3><ul>{rules}</ul></div> }
    });
    let path = explanation
        .path
        .map(|path| view! { <p class="muted">{path.why}</p> });
    Some(view! { <Notice tone text=explanation.message/>{path}{near} }.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_written_as_people_say_it() {
        assert_eq!(flow(" TCP 8096 "), Some((Proto::Tcp, Some(8096))));
        assert_eq!(flow("udp/53"), Some((Proto::Udp, Some(53))));
        assert_eq!(flow("icmp"), Some((Proto::Icmp, None)));
        assert_eq!(flow("any"), Some((Proto::Any, None)));
        for wrong in ["", "http", "tcp 0", "tcp x", "icmp 8", "tcp 70000"] {
            assert_eq!(flow(wrong), None, "{wrong}");
        }
    }
}
