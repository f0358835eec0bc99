//! What is in view of a log, and how it moves.
//!
//! While it follows, the end is in view. Who scrolls up, searches or selects text pauses that; whatever arrives or is
//! dropped then moves nothing. Once a frame the lines are measured, and those in view become elements.

use super::{
    look::Look,
    row,
    window::{Counts, Placed, Window},
};
use crate::{
    copy::logs as copy,
    logs::{feed::LogFeed, lines::Line, search::Needle, sheet::Sheet},
    prefs::use_prefs,
};
use leptos::{html, prelude::*};
use std::sync::Arc;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Element;

/// The characters of the ruler: so many that the width of one is told exactly.
pub(super) const RULED: u8 = 64;

/// The most places that are marked in one line.
const MARKS: usize = 500;

/// A handle: copies are of the same view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    pub feed: LogFeed,
    pub look: RwSignal<Look>,
    pub follows: RwSignal<bool>,
    pub window: RwSignal<Window>,
    pub counts: RwSignal<Counts>,
    pub scroller: NodeRef<html::Div>,
    pub paper: NodeRef<html::Div>,
    pub ruler: NodeRef<html::Div>,
    pub room: NodeRef<html::Span>,
    pub zeros: NodeRef<html::Span>,
    state: StoredValue<State, LocalStorage>,
}

#[derive(Debug)]
struct State {
    sheet: Sheet,
    /// The height of a row, and the width of a character, in px.
    row: f64,
    character: f64,
    /// The scroll position that was last seen.
    top: i32,
    /// The number of the next line at the moment of the pause.
    read: u64,
    /// The line of the last step.
    current: Option<u64>,
    /// Changes when lines that have not changed look different.
    version: u32,
}

impl Viewer {
    pub fn new(feed: LogFeed) -> Self {
        let viewer = Self {
            feed,
            look: RwSignal::new(Look::remembered()),
            follows: RwSignal::new(true),
            window: RwSignal::new(Window::default()),
            counts: RwSignal::new(Counts::default()),
            scroller: NodeRef::new(),
            paper: NodeRef::new(),
            ruler: NodeRef::new(),
            room: NodeRef::new(),
            zeros: NodeRef::new(),
            state: StoredValue::new_local(State {
                sheet: Sheet::default(),
                row: 0.0,
                character: 0.0,
                top: 0,
                read: 0,
                current: None,
                version: 0,
            }),
        };
        viewer.observe();
        Effect::new(move || {
            feed.changed.track();
            viewer.paint();
        });
        let zone = use_prefs().time_zone;
        Effect::new(move |before: Option<()>| {
            zone.track();
            viewer.look.get().remember();
            if before.is_some() {
                // In the next frame, when the ruler is drawn in the new look.
                request_animation_frame(move || viewer.redraw());
            }
        });
        viewer
    }

    /// Measures now, and when the room or the font changes.
    fn observe(self) {
        let observed = StoredValue::new_local(None::<(web_sys::ResizeObserver, Closure<dyn Fn()>)>);
        Effect::new(move || {
            let (Some(scroller), Some(zeros)) = (self.scroller.get(), self.zeros.get()) else {
                return;
            };
            let resized = Closure::<dyn Fn()>::new(move || self.resized());
            if let Ok(observer) = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref()) {
                observer.observe(&scroller);
                observer.observe(&zeros);
                observed.set_value(Some((observer, resized)));
            }
            self.resized();
        });
        on_cleanup(move || {
            if let Some((observer, _)) = observed.try_update_value(Option::take).flatten() {
                observer.disconnect();
            }
        });
    }

    fn resized(self) {
        let nodes = (
            self.ruler.get_untracked(),
            self.room.get_untracked(),
            self.zeros.get_untracked(),
        );
        let (Some(ruler), Some(room), Some(zeros)) = nodes else {
            return;
        };
        let character = width(&zeros) / f64::from(RULED);
        let row = ruler.get_bounding_client_rect().height();
        let wraps = self.look.get_untracked().wraps && character > 0.0;
        let columns = wraps.then(|| whole(width(&room) / character).max(1));
        self.change(|state| {
            (state.row, state.character) = (row, character);
            let columns = columns.map(|columns| u32::try_from(columns).unwrap_or(u32::MAX));
            self.feed.with_lines(|lines| state.sheet.wrap(columns, lines));
        });
        self.paint();
    }

    /// Draws all lines anew, in another look.
    fn redraw(self) {
        self.change(|state| state.version += 1);
        self.resized();
    }

    /// Follows the lines, and keeps in view what is to be in view.
    fn paint(self) {
        let (Some(scroller), Some(paper)) = (self.scroller.get_untracked(), self.paper.get_untracked())
        else {
            return;
        };
        if self.follows.get_untracked() && selects_in(&scroller) {
            self.pause();
        }
        let measured = self.change(|state| {
            let gone = self
                .feed
                .with_lines(|lines| state.sheet.follow(lines))
                .unwrap_or_default();
            let widest = f64::from(state.sheet.widest()) * state.character;
            (
                px(gone, state.row),
                px(state.sheet.heights().total(), state.row),
                widest,
            )
        });
        let Some((gone, height, widest)) = measured else {
            return;
        };
        let style = web_sys::HtmlElement::style(&paper);
        style.set_property("height", &format!("{height}px")).ok();
        style.set_property("--widest", &format!("{widest}px")).ok();
        if self.follows.get_untracked() {
            self.scroll_to(&scroller, height);
        } else if gone > 0.0 {
            self.scroll_to(&scroller, f64::from(scroller.scroll_top()) - gone);
        }
        self.show();
    }

    fn scroll_to(self, scroller: &Element, top: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturating, and what is too far is at the end"
        )]
        scroller.set_scroll_top(top as i32);
        let top = scroller.scroll_top();
        self.change(|state| state.top = top);
    }

    /// Makes elements of the lines in view.
    fn show(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        let (top, height) = (
            f64::from(scroller.scroll_top()),
            f64::from(scroller.client_height()),
        );
        let shown = self.change(|state| {
            if state.row <= 0.0 {
                return None;
            }
            let rows = whole(top / state.row)..whole((top + height) / state.row);
            let range = state.sheet.window(rows);
            let offset = px(state.sheet.heights().start(range.start), state.row);
            let (version, current) = (state.version, state.current);
            let count = usize::try_from(range.end - range.start).unwrap_or_default();
            self.feed.with_lines(|lines| {
                let placed = |line: &Arc<Line>| Placed {
                    line: line.clone(),
                    version,
                    is_current: current == Some(line.number),
                };
                let found = state.sheet.found();
                let place = current.and_then(|current| found.place(current));
                let counts = Counts {
                    lines: lines.len(),
                    gone: lines.gone(),
                    unread: lines.end().saturating_sub(state.read.max(lines.gone())),
                    found: found.needle().map(|_| (place, found.len())),
                };
                let lines = lines.from(range.start).take(count).map(placed).collect();
                (Window { range, lines, offset }, counts)
            })
        });
        let Some((window, counts)) = shown.flatten() else {
            return;
        };
        if self.window.with_untracked(|before| before.differs(&window)) {
            self.window.set(window);
        }
        if self.counts.get_untracked() != counts {
            self.counts.set(counts);
        }
    }

    /// The person, or the view itself, has scrolled.
    pub fn scrolled(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        let top = scroller.scroll_top();
        let left = scroller.scroll_height() - scroller.client_height() - top;
        let before = self.change(|state| std::mem::replace(&mut state.top, top));
        if left <= NEAR {
            self.follows.set(true);
        } else if before.is_some_and(|before| top < before) {
            self.pause();
        }
        self.show();
    }

    fn pause(self) {
        if self.follows.get_untracked() {
            let end = self.feed.with_lines(|lines| lines.end()).unwrap_or_default();
            self.change(|state| state.read = end);
            self.follows.set(false);
        }
    }

    pub fn jump_to_latest(self) {
        if let Some(selection) = window().get_selection().ok().flatten() {
            selection.remove_all_ranges().ok();
        }
        self.follows.set(true);
        self.paint();
    }

    pub fn toggle_following(self) {
        if self.follows.get_untracked() {
            self.pause();
            self.show();
        } else {
            self.jump_to_latest();
        }
    }

    pub fn look_for(self, text: &str) {
        self.change(|state| {
            self.feed
                .with_lines(|lines| state.sheet.look_for(Needle::new(text), lines));
            (state.current, state.version) = (None, state.version + 1);
        });
        self.show();
    }

    /// Goes to the next line in which something was found, or to the one before.
    pub fn step(self, forward: bool) {
        let target = self.change(|state| {
            let number = state.sheet.found().step(state.current, forward)?;
            state.current = Some(number);
            self.feed.with_lines(|lines| {
                let line = lines.line(number)?;
                let place = state.sheet.found().needle()?.places(&line.content.text, 1);
                if place.first()?.end > state.sheet.drawn(line) {
                    state.sheet.show_whole(number, lines);
                }
                Some(px(state.sheet.heights().start(number), state.row))
            })?
        });
        if let (Some(top), Some(scroller)) = (target.flatten(), self.scroller.get_untracked()) {
            self.pause();
            self.paint();
            self.scroll_to(&scroller, top - f64::from(scroller.client_height()) / 3.0);
            self.show();
        }
    }

    /// The row of a line.
    pub fn row(self, placed: &Placed) -> AnyView {
        let line = &placed.line;
        let number = line.number;
        let found = self.change(|state| {
            let drawn = state.sheet.drawn(line);
            let needle = state.sheet.found().needle();
            let places = needle.map(|needle| needle.places(&line.content.text[..drawn], MARKS));
            (drawn, places.unwrap_or_default())
        });
        let (drawn, places) = found.unwrap_or_default();
        let more = (line.content.text.len() - drawn) as u64 + line.more;
        let rest = (more > 0).then(|| {
            let is_kept = drawn < line.content.text.len();
            let whole = is_kept.then(|| {
                let show = move |_| self.show_whole(number);
                view! { <button type="button" class="log-more" on:click=show>{copy::SHOW_WHOLE}</button> }
            });
            view! { <span class="log-rest">" … "{copy::more(more)}" "{whole}</span> }.into_any()
        });
        let row = row::line(line, self.look.get_untracked(), drawn, &places, rest);
        view! { <div class="log-place" class:current=placed.is_current>{row}</div> }.into_any()
    }

    fn show_whole(self, number: u64) {
        self.pause();
        self.change(|state| {
            self.feed
                .with_lines(|lines| state.sheet.show_whole(number, lines));
            state.version += 1;
        });
        self.paint();
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.focus().ok();
        }
    }

    fn change<T>(self, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.try_update_value(change)
    }
}

/// How near the end counts as the end, in px: browsers round.
const NEAR: i32 = 4;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "floored, and saturating at 0"
)]
fn whole(number: f64) -> u64 {
    number.floor() as u64
}

#[expect(clippy::cast_precision_loss, reason = "no log has 2^52 rows")]
fn px(rows: u64, row: f64) -> f64 {
    rows as f64 * row
}

fn width(element: &Element) -> f64 {
    element.get_bounding_client_rect().width()
}

/// Whether a person has selected text of these lines.
fn selects_in(scroller: &Element) -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| {
        !selection.is_collapsed()
            && selection
                .anchor_node()
                .is_some_and(|node| scroller.contains(Some(&node)))
    })
}
