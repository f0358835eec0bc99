//! The test of all paths of a device, with its progress and results.

use super::attempts::{lines, reason_against_test};
use crate::{
    api::send,
    components::{
        button::Button,
        icon::{Icon, lucide},
    },
    copy::mesh as copy,
    store::use_store,
};
use flotilla_protocol::{api::TestPath, id::DeviceId, path::PathAttempt};
use leptos::{prelude::*, task::spawn_local};

/// This many tests run at once; each takes seconds.
const AT_ONCE: usize = 4;

/// The outcome of the test of a path to a device.
#[derive(Debug, Clone, PartialEq)]
struct PathTestResult {
    to: String,
    outcome: Result<Vec<PathAttempt>, String>,
}

impl PathTestResult {
    fn has_answered(&self) -> bool {
        matches!(&self.outcome, Ok(attempts) if attempts.iter().any(|attempt| attempt.rtt_ms.is_some()))
    }
}

/// The tests of the paths of a device. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
struct PathTests {
    from: DeviceId,
    /// The devices whose tests have not started, the last first.
    waiting: RwSignal<Vec<(DeviceId, String)>>,
    running: RwSignal<usize>,
    all: RwSignal<usize>,
    done: RwSignal<Vec<PathTestResult>>,
}

impl PathTests {
    fn begin(self, mut peers: Vec<(DeviceId, String)>) {
        peers.reverse();
        self.all.set(peers.len());
        self.done.set(Vec::new());
        self.waiting.set(peers);
        for _ in 0..AT_ONCE {
            self.start_next();
        }
    }

    fn start_next(self) {
        let Some((to, name)) = self.waiting.try_update(Vec::pop).flatten() else {
            return;
        };
        self.running.update(|running| *running += 1);
        let request = TestPath {
            from: self.from.to_string(),
            to: to.to_string(),
        };
        spawn_local(async move {
            let outcome = send(&request).await.map_err(|failure| failure.to_string());
            // The update answers nothing if the page was left meanwhile.
            if self.running.try_update(|running| *running -= 1).is_none() {
                return;
            }
            self.done.update(|done| {
                done.push(PathTestResult { to: name, outcome });
                done.sort_by(|a, b| (a.has_answered(), &a.to).cmp(&(b.has_answered(), &b.to)));
            });
            self.start_next();
        });
    }

    fn stop(self) {
        let left = self
            .waiting
            .try_update(std::mem::take)
            .map_or(0, |left| left.len());
        self.all.update(|all| *all -= left);
    }

    fn is_busy(self) -> bool {
        self.running.get() > 0
    }
}

/// The button that tests all paths of a device, with progress and results.
#[component]
pub(super) fn TestAll(from: DeviceId) -> impl IntoView {
    let store = use_store();
    let tests = PathTests {
        from,
        waiting: RwSignal::default(),
        running: RwSignal::new(0),
        all: RwSignal::new(0),
        done: RwSignal::default(),
    };
    let peers = Memo::new(move |_| {
        store.paths.with(|paths| {
            let own = paths.rows().values().filter(|path| path.from_id == from);
            own.map(|path| (path.to_id, path.to.to_string()))
                .collect::<Vec<_>>()
        })
    });
    let denied = reason_against_test(from);
    let reason = Signal::derive(move || {
        let alone = || peers.with(Vec::is_empty).then(|| copy::NO_PEERS.to_owned());
        denied.get().or_else(alone)
    });
    let busy = Signal::derive(move || tests.is_busy());
    let stop = move || {
        let more = tests.waiting.with(|waiting| !waiting.is_empty());
        more.then(|| view! { <Button label=copy::STOP_TESTS on_press=move || tests.stop()/> })
    };
    let progress = move || {
        let (all, done) = (tests.all.get(), tests.done.read());
        if all == 0 {
            return None;
        }
        Some(if tests.is_busy() {
            copy::testing(done.len(), all)
        } else {
            summary(&done)
        })
    };
    let results = move || {
        let done = tests.done.get();
        (!done.is_empty()).then(|| {
            view! { <ul class="tested-paths">{done.into_iter().map(result_line).collect_view()}</ul> }
        })
    };
    view! {
        <div class="test-all">
            <div class="actions">
                <Button label=copy::TEST_ALL glyph=lucide::RADAR busy reason on_press=move || tests.begin(peers.get_untracked())/>
                {stop}
                <span class="caption" role="status">{progress}</span>
            </div>
            {results}
        </div>
    }
}

fn result_line(result: PathTestResult) -> impl IntoView {
    let (class, glyph) = if result.has_answered() {
        ("ok", lucide::CIRCLE_CHECK)
    } else {
        ("bad", lucide::CIRCLE_X)
    };
    let lines = match result.outcome {
        Ok(attempts) => lines(&attempts),
        Err(message) => vec![message],
    };
    view! {
        <li>
            <span class=class><Icon glyph/></span>
            <strong>{result.to.clone()}</strong>
            <ul class="attempts" aria-label=copy::answers_of(&result.to)>{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
        </li>
    }
}

fn summary(done: &[PathTestResult]) -> String {
    let answered = done.iter().filter(|result| result.has_answered()).count();
    let failed = done.iter().filter(|result| result.outcome.is_err()).count();
    let silent = done
        .iter()
        .filter(|result| result.outcome.is_ok() && !result.has_answered());
    let silent: Vec<_> = silent.map(|result| result.to.clone()).collect();
    copy::tested(answered, &silent, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(to: &str, rtts: &[Option<f32>]) -> PathTestResult {
        let attempt = |rtt_ms: &Option<f32>| PathAttempt {
            target: "Local 10.0.0.1:7000".to_owned(),
            rtt_ms: *rtt_ms,
        };
        PathTestResult {
            to: to.to_owned(),
            outcome: Ok(rtts.iter().map(attempt).collect()),
        }
    }

    #[test]
    fn one_answer_is_enough_and_silence_is_named() {
        let refused = PathTestResult {
            to: "pi".to_owned(),
            outcome: Err("pi is offline".to_owned()),
        };
        let done = [
            result("vps-2", &[None, Some(4.0)]),
            result("desk", &[None, None]),
            result("attic", &[]),
            refused,
        ];
        assert_eq!(
            summary(&done),
            "4 paths tested: 1 answered. Nothing answered on the way to desk and attic. 1 path could not be tested."
        );
        assert_eq!(summary(&done[..1]), "1 path tested: 1 answered.");
    }
}
