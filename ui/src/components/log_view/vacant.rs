//! What is said where there are no lines.

use crate::{
    clock::use_clock,
    components::{button::Button, empty::EmptyState, error_state::ErrorState, icon::lucide, waiting},
    copy::logs as copy,
    logs::{
        choice::LogChoice,
        feed::{FeedState, LogFeed, LogSubject},
    },
};
use leptos::prelude::*;

#[component]
pub(super) fn Vacant(
    feed: LogFeed,
    subject: StoredValue<LogSubject>,
    choice: RwSignal<LogChoice>,
) -> impl IntoView {
    let is_empty = Memo::new(move |_| {
        feed.changed.track();
        feed.with_lines(|lines| lines.is_empty()).unwrap_or(true)
    });
    let state = Memo::new(move |_| feed.state.get());
    move || {
        if !is_empty.get() {
            return None;
        }
        let said = match state.get() {
            FeedState::Opening => opening(subject),
            FeedState::Lost { why, .. } => view! { <p class="log-said">{copy::waiting(&why)}</p> }.into_any(),
            FeedState::Refused(why) => refused(why, feed, choice),
            FeedState::Reading | FeedState::Over(_) => nothing(subject, choice),
        };
        Some(view! { <div class="log-vacant">{said}</div> })
    }
}

/// How long it takes already, from when that is worth a word.
fn opening(subject: StoredValue<LogSubject>) -> AnyView {
    let words = subject.with_value(|subject| copy::opening(&subject.name, &subject.device));
    let (clock, begun) = (use_clock(), crate::clock::now());
    let told = move || waiting::words(&words, clock.second.get().as_second() - begun.as_second());
    view! { <p class="log-said">{told}</p> }.into_any()
}

fn refused(why: String, feed: LogFeed, choice: RwSignal<LogChoice>) -> AnyView {
    let again = move || feed.choose(&choice.get_untracked());
    view! { <ErrorState message=why on_retry=again/> }.into_any()
}

fn nothing(subject: StoredValue<LogSubject>, choice: RwSignal<LogChoice>) -> AnyView {
    let LogChoice {
        tail, since, grep, ..
    } = choice.get_untracked();
    let (title, text) = if grep.is_empty() {
        (
            copy::NO_OUTPUT,
            subject.with_value(|subject| copy::nothing_written(&subject.name)),
        )
    } else {
        (copy::NOTHING_FOUND, copy::nothing_found(&grep, tail))
    };
    let all_time = since.is_some().then(|| {
        view! { <Button label=copy::SHOW_ALL on_press=move || choice.update(|choice| choice.since = None)/> }
    });
    let all_lines = (!grep.is_empty() && tail.is_some()).then(|| {
        view! { <Button label=copy::ALL_LINES on_press=move || choice.update(|choice| choice.tail = None)/> }
    });
    view! { <EmptyState glyph=lucide::SCROLL_TEXT title text=text>{all_time}{all_lines}</EmptyState> }
        .into_any()
}
