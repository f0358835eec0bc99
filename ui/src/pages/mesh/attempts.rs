//! The test of a path, which tries every address and every relay.

use crate::{
    api::send,
    components::{button::Button, error_state::ErrorState, icon::lucide},
    copy::mesh as copy,
};
use flotilla_protocol::{api::TestPath, id::DeviceId, path::PathAttempt};
use leptos::{prelude::*, task::spawn_local};

type Outcome = Result<Vec<PathAttempt>, String>;

/// The button that tests a path, and the outcome.
#[component]
pub(crate) fn PathTest(from: DeviceId, to: DeviceId) -> impl IntoView {
    let busy = RwSignal::new(false);
    let outcome = RwSignal::new(None::<Outcome>);
    let test = move || {
        busy.set(true);
        outcome.set(None);
        let request = TestPath {
            from: from.to_string(),
            to: to.to_string(),
        };
        spawn_local(async move {
            let answer = send(&request).await.map_err(|failure| failure.to_string());
            outcome.try_set(Some(answer));
            busy.try_set(false);
        });
    };
    let outcome_view = move || match outcome.get() {
        None => busy
            .get()
            .then(|| view! { <p class="muted">{copy::TESTING}</p> }.into_any()),
        Some(Err(message)) => Some(view! { <ErrorState message/> }.into_any()),
        Some(Ok(attempts)) => {
            let line = |line: String| view! { <li>{line}</li> };
            Some(
                view! { <ul class="attempts">{lines(&attempts).into_iter().map(line).collect_view()}</ul> }
                    .into_any(),
            )
        }
    };
    view! {
        <div class="actions"><Button label=copy::TEST glyph=lucide::RADAR busy on_press=test/></div>
        <div role="status">{outcome_view}</div>
    }
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
