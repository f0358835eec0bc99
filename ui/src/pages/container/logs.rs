//! The log of the container.

use super::ContainerRow;
use crate::{
    components::log_view::{LogView, remembered_tail},
    logs::{
        choice::LogChoice,
        feed::{FeedState, LogFeed, LogSubject},
    },
};
use flotilla_protocol::{Timestamp, inventory::ContainerState, log::LogEndReason};
use leptos::prelude::*;

#[component]
pub(super) fn Logs(row: ContainerRow) -> impl IntoView {
    let subject = row.with_untracked(|row| LogSubject::of(row));
    let choice = RwSignal::new(LogChoice {
        tail: remembered_tail(),
        ..LogChoice::newest(0)
    });
    let feed = LogFeed::open(subject.clone(), &choice.get_untracked());
    Effect::new(move |asked: Option<LogChoice>| {
        let wanted = choice.get();
        if asked.is_some_and(|asked| asked != wanted) {
            feed.choose(&wanted);
        }
        wanted
    });
    go_on_when_started(row, feed);
    view! { <LogView feed subject=StoredValue::new(subject) choice/> }
}

/// Goes on with the log of a container that had stopped, once it is started again.
fn go_on_when_started(row: ContainerRow, feed: LogFeed) {
    let run =
        Memo::new(move |_| row.with(|row| (row.item.state == ContainerState::Running, row.item.started)));
    // When it was last started, as far as that was known when its log ended. The log may be ahead of the inventory.
    Effect::new(move |ended: Option<Option<Option<Timestamp>>>| {
        let (runs, started) = run.get();
        if feed.state.get() != FeedState::Over(LogEndReason::Stopped) {
            return None;
        }
        let before = ended.flatten().unwrap_or(started);
        if runs && started != before {
            feed.go_on();
        }
        Some(before)
    });
}
