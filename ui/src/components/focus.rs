//! Where the keyboard focus goes. It moves when a person moves it, into a panel that a person opened, and back when the
//! panel is closed; data that arrives never moves it.

use crate::browser;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, MutationObserver, MutationObserverInit};

/// What Tab reaches. Of a table that is the row or header with tabindex 0.
const STOPS: &str = "a[href]:not([tabindex='-1']), button:not([tabindex='-1']), input:not([tabindex='-1']), \
    select, textarea, summary, [tabindex='0']";

/// The parts of the window that the focus does not leave by itself.
const REGIONS: &str = "main, nav, header.top-bar, dialog";

/// Moves the focus to an element once it is in the page.
pub fn focus_when_shown<E>(element: NodeRef<E>)
where
    E: html::ElementType + 'static,
    E::Output: JsCast + Clone + 'static,
{
    Effect::new(move || {
        if let Some(element) = element
            .get()
            .and_then(|element| element.dyn_into::<HtmlElement>().ok())
        {
            // In the next frame: a dialog around the element has to be open first.
            browser::next_frame(move || {
                element.focus().ok();
            });
        }
    });
}

/// Runs what moves the focus into a panel that is being opened: at once where the panel is in the page, so that the
/// next key goes to it, or else in the next frame.
pub fn enter(panel: &HtmlElement, focus: impl FnOnce(&HtmlElement) + 'static) {
    if panel.is_connected() {
        focus(panel);
    } else {
        let panel = panel.clone();
        browser::next_frame(move || focus(&panel));
    }
}

/// Moves the focus to an element that data brings into the page, in place of the one that had the focus. It stays where
/// it is if that is still there.
pub fn focus_if_lost(element: NodeRef<html::Button>) {
    Effect::new(move || {
        if let Some(element) = element.get() {
            browser::next_frame(move || {
                if focused().is_none() {
                    element.focus().ok();
                }
            });
        }
    });
}

/// Moves the focus to a field once it is in the page, and selects its text.
pub fn select_when_shown(field: NodeRef<html::Input>) {
    Effect::new(move || {
        if let Some(field) = field.get() {
            browser::next_frame(move || {
                field.focus().ok();
                field.select();
            });
        }
    });
}

/// The element that had the focus when a panel was opened, and what is around it.
#[derive(Debug, Clone, Default)]
pub struct Opener(Vec<Element>);

impl Opener {
    /// The element that has the focus.
    #[must_use]
    pub fn now() -> Self {
        focused().map(|element| Self::of(&element)).unwrap_or_default()
    }

    fn of(element: &Element) -> Self {
        let mut chain = vec![element.clone()];
        while let Some(around) = chain.last().and_then(|element| element.parent_element()) {
            let is_region = around.matches(REGIONS).unwrap_or(true);
            chain.push(around);
            if is_region {
                break;
            }
        }
        Self(chain)
    }

    fn is_gone(&self) -> bool {
        self.0.first().is_some_and(|own| !own.is_connected())
    }

    /// Returns the focus in the next frame, when the panel is removed, unless it is somewhere else by then.
    pub fn give_back_soon(self) {
        browser::next_frame(move || {
            if focused().is_none() {
                self.give_back();
            }
        });
    }

    /// Moves the focus to the element or, if that is gone, to the first control of the nearest element around it that
    /// is left. Answers `false` if nothing is left.
    fn give_back(&self) -> bool {
        let own = self.0.first().filter(|own| own.is_connected());
        let heir: Option<HtmlElement> = match own {
            Some(own) => own.clone().dyn_into().ok(),
            None => self
                .0
                .iter()
                .filter(|around| around.is_connected())
                .find_map(first_stop),
        };
        heir.is_some_and(|heir| heir.focus().is_ok())
    }
}

/// Keeps the focus in the page for as long as the page is open: when the element that has it is removed, the nearest
/// control that is left gets it, or else the heading of the page.
pub fn guard() {
    let last = StoredValue::new_local(Opener::default());
    // Two frames later: code that removes an element and moves the focus by itself does that within one frame.
    let settle_soon = move || browser::next_frame(move || browser::next_frame(move || settle(last)));
    window_event_listener(ev::focusin, move |event| {
        if let Some(element) = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
        {
            last.set_value(Opener::of(&element));
        }
    });
    window_event_listener(ev::focusout, move |_| settle_soon());
    // Not every browser says that an element which is removed loses the focus.
    let removed = Closure::<dyn Fn()>::new(move || {
        if last.with_value(Opener::is_gone) {
            settle_soon();
        }
    });
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    options.set_subtree(true);
    if let Ok(observer) = MutationObserver::new(removed.as_ref().unchecked_ref())
        && let Some(body) = document().body()
    {
        observer.observe_with_options(&body, &options).ok();
    }
    // Listeners and closure are leaked, once: they live as long as the page.
    removed.forget();
}

fn settle(last: StoredValue<Opener, LocalStorage>) {
    if focused().is_some() {
        return;
    }
    // What a press beside every control took the focus from is still there, and does not get it back.
    let opener = last.try_update_value(std::mem::take).unwrap_or_default();
    if opener.is_gone() && !opener.give_back() {
        browser::focus("h1");
    }
}

/// The element that has the focus; none if only the page's body has it.
fn focused() -> Option<Element> {
    document()
        .active_element()
        .filter(|element| element.tag_name() != "BODY")
}

fn first_stop(root: &Element) -> Option<HtmlElement> {
    let mut stops = browser::all(root, STOPS).into_iter();
    stops.find(|stop| stop.offset_parent().is_some())
}
