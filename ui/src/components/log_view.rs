//! The log of a container: its newest lines, which are followed, searched and scrolled through, however many they are.
//!
//! - `viewer`: how what is in view moves. `window`: what is in view. `row`: a line. `look`: how lines are shown. `tools` and `foot`: the
//!   controls above the lines, and what is said below them. `vacant`: what is said where there are no lines.

mod foot;
mod look;
mod row;
mod tools;
mod vacant;
mod viewer;
mod window;

pub use row::line;

use crate::{
    browser,
    copy::logs as copy,
    logs::{
        choice::LogChoice,
        feed::{LogFeed, LogSubject},
    },
    prefs::use_prefs,
};
use foot::Foot;
use leptos::{ev::KeyboardEvent, html, prelude::*};
pub use look::{Look, remembered_tail};
use tools::Tools;
use vacant::Vacant;
use viewer::Viewer;
use wasm_bindgen::JsCast;
use web_sys::Element;

#[component]
pub fn LogView(
    feed: LogFeed,
    subject: StoredValue<LogSubject>,
    /// What is asked for; the page asks anew when it changes.
    choice: RwSignal<LogChoice>,
) -> impl IntoView {
    let viewer = Viewer::new(feed);
    let search = NodeRef::<html::Input>::new();
    let prefs = use_prefs();
    let keys = move |event: KeyboardEvent| {
        let command = event.ctrl_key() || event.meta_key();
        if command && !event.alt_key() && event.key().eq_ignore_ascii_case("f") {
            if let Some(search) = search.get_untracked() {
                search.focus().ok();
                search.select();
            }
        } else if command || event.alt_key() || is_in_control(&event) {
            return;
        } else if event.key() == "End" {
            viewer.jump_to_latest();
        } else if !(prefs.single_keys.get_untracked() && single_key(viewer, &event.key())) {
            return;
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let name = subject.with_value(|subject| copy::of(&subject.name, &subject.device));
    let live = move || {
        if viewer.look.get().announces {
            "polite"
        } else {
            "off"
        }
    };
    view! {
        <div class="log-view" on:keydown=keys>
            <Tools viewer choice subject search/>
            <div class="log-lines" role="log" aria-label=name aria-live=live tabindex="0" node_ref=viewer.scroller
                on:scroll=move |_| viewer.scrolled()>
                <Vacant feed subject choice/>
                <div class="log-paper" class:wrap=move || viewer.look.get().wraps node_ref=viewer.paper>
                    <Ruler viewer/>
                    <div class="log-window" style:transform=move || format!("translateY({}px)", viewer.window.with(|window| window.offset))>
                        <For each=move || viewer.window.with(|window| window.lines.clone()) key=|placed| placed.key()
                            children=move |placed| viewer.row(&placed)/>
                    </div>
                </div>
            </div>
            <Foot viewer/>
        </div>
    }
}

/// A line that is not seen, of which the heights and widths of all others are read.
#[component]
fn Ruler(viewer: Viewer) -> impl IntoView {
    let zeros = "0".repeat(viewer::RULED.into());
    view! {
        <div class="log-line log-ruler" aria-hidden="true" node_ref=viewer.ruler>
            {move || row::gutter(viewer.look.get(), None, 0)}
            <span class="log-text" node_ref=viewer.room><span class="log-zeros" node_ref=viewer.zeros>{zeros}</span></span>
        </div>
    }
}

/// Does what a key without a modifier does among the lines. Answers whether that is anything.
fn single_key(viewer: Viewer, key: &str) -> bool {
    match key {
        "f" => viewer.toggle_following(),
        "w" => viewer.look.update(|look| look.wraps = !look.wraps),
        "t" => viewer.look.update(|look| look.times = !look.times),
        "n" => viewer.step(true),
        "N" => viewer.step(false),
        _ => return false,
    }
    true
}

/// Whether the key was pressed in a control, which has keys of its own.
fn is_in_control(event: &KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.matches("input, select, button").unwrap_or(false))
}

/// Measures from a key in the search field until what it found is painted.
fn measured(search: impl FnOnce()) {
    browser::begin_measure(MEASURE);
    search();
    browser::end_measure_after_paint(MEASURE);
}

const MEASURE: &str = "flotilla:log-search";
