//! The test of a path, which tries every address and every relay.

use crate::{
    components::{button::Button, error_state::ErrorState, icon::lucide},
    copy::mesh as copy,
    store::{Known, ask, use_store},
};
use flotilla_protocol::{
    api::{TestPath, Verb},
    id::DeviceId,
    path::PathAttempt,
};
use leptos::prelude::*;

/// The button that tests a path, and the outcome.
#[component]
pub(crate) fn PathTest(from: DeviceId, to: DeviceId) -> impl IntoView {
    let outcome = RwSignal::new(Known::<Vec<PathAttempt>>::default());
    let busy = Memo::new(move |_| outcome.with(|outcome| outcome.load().is_going()));
    let test = move || {
        let request = TestPath {
            from: from.to_string(),
            to: to.to_string(),
        };
        ask(outcome, request);
    };
    let outcome_view = move || {
        outcome.with(|outcome| {
            if outcome.load().is_going() {
                return Some(view! { <p class="muted">{copy::TESTING}</p> }.into_any());
            }
            if let Some(failure) = outcome.load().failure() {
                return Some(
                    view! { <ErrorState message=failure.to_string() details=failure.details()/> }.into_any(),
                );
            }
            let line = |line: String| view! { <li>{line}</li> };
            let attempts = lines(outcome.value()?).into_iter().map(line).collect_view();
            Some(view! { <ul class="attempts">{attempts}</ul> }.into_any())
        })
    };
    view! {
        <div class="actions"><Button label=copy::TEST glyph=lucide::RADAR busy reason=reason_against_test(from) on_press=test/></div>
        <div role="status">{outcome_view}</div>
    }
}

/// Why this caller may not test the paths of a device.
pub(super) fn reason_against_test(from: DeviceId) -> Signal<Option<String>> {
    let store = use_store();
    Signal::derive(move || {
        let device = store.devices.with(|devices| devices.rows().get(&from).cloned())?;
        store.why_not(Verb::Operate, Some(&device))
    })
}

/// The outcome of a test, one line per attempt.
pub(super) fn lines(attempts: &[PathAttempt]) -> Vec<String> {
    if attempts.is_empty() {
        return vec![copy::NOTHING_TRIED.to_owned()];
    }
    attempts.iter().map(sentence).collect()
}

/// An attempt in words: "IPv6 [2001:db8::7]:7000: answered in 11 ms".
fn sentence(attempt: &PathAttempt) -> String {
    let outcome = attempt
        .rtt_ms
        .map_or_else(|| copy::NO_ANSWER.to_owned(), copy::answered);
    format!("{}: {outcome}", attempt.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_says_what_was_tried_and_what_came_of_it() {
        let attempt = |rtt_ms| PathAttempt {
            target: "Local 192.168.1.20:7000".to_owned(),
            rtt_ms,
        };
        assert_eq!(sentence(&attempt(None)), "Local 192.168.1.20:7000: no answer");
        assert_eq!(
            sentence(&attempt(Some(11.2))),
            "Local 192.168.1.20:7000: answered in 11 ms"
        );
    }
}
