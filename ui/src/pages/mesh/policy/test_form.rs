//! The drawer that adds a test.

use super::{Forms, draft::PolicyDraft};
use crate::{
    components::{
        button::{Button, ButtonKind},
        drawer::Drawer,
        field::Field,
        focus::focus_when_shown,
        select::Select,
    },
    copy::policy as copy,
};
use flotilla_protocol::policy::{Expect, PolicyTest, Proto, Selector};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// The typed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TestInput {
    from: String,
    to: String,
    proto: String,
    port: String,
    expect: String,
}

impl TestInput {
    /// The test, or a field and its error.
    fn test(&self) -> Result<PolicyTest, (&'static str, String)> {
        let selector = |field, text: &str| {
            text.trim()
                .parse::<Selector>()
                .map_err(|_| (field, copy::SELECTOR.to_owned()))
        };
        let proto: Proto = self.proto.parse().unwrap_or_default();
        let port = match self.port.trim() {
            "" => None,
            _ if !proto.has_ports() => None,
            port => match port.parse() {
                Ok(port @ 1..) => Some(port),
                _ => return Err(("port", copy::PORT_HINT.to_owned())),
            },
        };
        Ok(PolicyTest {
            from: selector("from", &self.from)?,
            to: selector("to", &self.to)?,
            proto,
            port,
            expect: if self.expect == ALLOW {
                Expect::Allow
            } else {
                Expect::Deny
            },
        })
    }
}

const ALLOW: &str = "allow";
const DENY: &str = "deny";

#[component]
pub(super) fn TestForm(draft: PolicyDraft, forms: Forms) -> impl IntoView {
    let untouched = TestInput {
        from: String::new(),
        to: String::new(),
        proto: Proto::Tcp.to_string(),
        port: String::new(),
        expect: DENY.to_owned(),
    };
    let typed = RwSignal::new(untouched.clone());
    let edited = Memo::new(move |_| typed.with(|typed| *typed != untouched));
    let checked = RwSignal::new(false);
    let error = move |field: &'static str| {
        Signal::derive(move || {
            let wrong = typed.with(|typed| typed.test().err()).filter(|_| checked.get());
            wrong
                .filter(|(wrong, _)| *wrong == field)
                .map(|(_, message)| message)
        })
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        checked.set(true);
        if let Ok(test) = typed.with_untracked(TestInput::test) {
            draft.policy.update(|policy| policy.tests.push(test));
            forms.close();
        }
    };
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let read = move |part: fn(&TestInput) -> String| Signal::derive(move || typed.with(part));
    let expected = vec![
        (DENY.to_owned(), copy::BLOCKED.to_owned()),
        (ALLOW.to_owned(), copy::ALLOWED.to_owned()),
    ];
    view! {
        <Drawer name=copy::NEW_TEST is_form=true edited=forms.follow(edited) on_close=move || forms.close()>
            <form on:submit=submit novalidate>
                <Field label=copy::FROM hint=copy::SELECTOR value=read(|typed| typed.from.clone()) verbatim=true error=error("from") node_ref=field
                    on_input=move |text| typed.update(|typed| typed.from = text)/>
                <Field label=copy::TO hint=copy::SELECTOR value=read(|typed| typed.to.clone()) verbatim=true error=error("to")
                    on_input=move |text| typed.update(|typed| typed.to = text)/>
                <Select label=copy::PROTOCOL options=copy::protocols() value=read(|typed| typed.proto.clone())
                    on_change=move |proto| typed.update(|typed| typed.proto = proto)/>
                <Field label=copy::PORT hint=copy::PORT_HINT value=read(|typed| typed.port.clone()) verbatim=true error=error("port")
                    on_input=move |text| typed.update(|typed| typed.port = text)/>
                <Select label=copy::EXPECTED options=expected value=read(|typed| typed.expect.clone())
                    on_change=move |expect| typed.update(|typed| typed.expect = expect)/>
                <div class="actions">
                    <Button label=copy::CANCEL on_press=move || forms.close()/>
                    <Button label=copy::APPLY_TEST kind=ButtonKind::Primary submit=true/>
                </div>
            </form>
        </Drawer>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_a_test() {
        let typed = |port: &str, proto: &str| TestInput {
            from: "device:laptop".to_owned(),
            to: " any ".to_owned(),
            proto: proto.to_owned(),
            port: port.to_owned(),
            expect: ALLOW.to_owned(),
        };
        assert_eq!(typed("22", "tcp").test().unwrap().port, Some(22));
        assert_eq!(typed("22", "icmp").test().unwrap().port, None);
        assert_eq!(typed("", "tcp").test().unwrap().expect, Expect::Allow);
        assert_eq!(typed("0", "tcp").test().unwrap_err().0, "port");
        assert_eq!(
            TestInput {
                from: "laptop".to_owned(),
                ..typed("", "tcp")
            }
            .test()
            .unwrap_err()
            .0,
            "from"
        );
    }
}
