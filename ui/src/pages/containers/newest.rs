//! The newest lines of a container's log, in its panel.

use crate::{
    components::log_view::{Look, line},
    copy::logs as copy,
    logs::{
        feed::{FeedState, LogFeed, LogSubject},
        lines::Line,
    },
    store::Keyed,
};
use flotilla_protocol::{api::Row, inventory::Container};
use leptos::prelude::*;
use std::sync::Arc;

/// How many lines there are.
const LINES: u32 = 50;

/// The bytes of a line that are drawn: a panel is no place to read more.
const DRAWN: usize = 1024;

/// The newest lines of the container that the panel shows. Those of another one are another view.
pub(super) fn newest(row: Signal<Option<Arc<Row<Container>>>>) -> AnyView {
    let key = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.key())));
    let view = move || {
        key.track();
        let row = row.get_untracked()?;
        Some(view! { <Newest row/> })
    };
    view.into_any()
}

#[component]
fn Newest(row: Arc<Row<Container>>) -> impl IntoView {
    let feed = LogFeed::newest(LogSubject::of(&row), LINES);
    let lines = RwSignal::new(Vec::<Arc<Line>>::new());
    Effect::new(move || {
        feed.changed.track();
        lines.set(
            feed.with_lines(|lines| lines.from(0).cloned().collect())
                .unwrap_or_default(),
        );
    });
    let is_empty = Memo::new(move |_| lines.with(Vec::is_empty));
    let said = move || {
        let state = is_empty.get().then(|| feed.state.get())?;
        Some(match state {
            FeedState::Opening => copy::opening(&row.item.name, row.device.as_str()),
            FeedState::Lost { why, .. } => copy::waiting(&why),
            FeedState::Refused(why) => why,
            FeedState::Reading | FeedState::Over(_) => copy::NO_OUTPUT.to_owned(),
        })
    };
    let draw = |line_of_log: Arc<Line>| {
        let drawn = line_of_log.content.text.floor_char_boundary(DRAWN);
        line(&line_of_log, Look::default(), drawn, &[], None)
    };
    view! {
        <section class="section-newest">
            <h3>{copy::NEWEST}</h3>
            <p class="hint">{said}</p>
            <div class="log-newest" role="log" aria-label=copy::NEWEST aria-live="off" tabindex="0" hidden=move || is_empty.get()>
                <div>
                    <For each=move || lines.get() key=|line| (line.number, line.content.text.len()) children=draw/>
                </div>
            </div>
        </section>
    }
}
