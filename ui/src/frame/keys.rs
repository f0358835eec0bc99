//! Shortcuts that work on every page.

use super::Overlays;
use crate::{
    actions::{
        Acting,
        fleet::{FLEET_ACTIONS, FleetAction},
    },
    browser,
    components::toast,
    prefs::use_prefs,
    registry,
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// The second key of `g …` has to follow within this time, in ms.
const SEQUENCE: f64 = 1_500.0;

/// The action of a single key outside of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyAction {
    Go(&'static str),
    Begin(&'static FleetAction),
    Filter,
    Shortcuts,
    /// The first key of `g …`; the second one names the page.
    AwaitSecondKey,
}

pub(super) fn listen(acting: Acting, overlays: Overlays) {
    let prefs = use_prefs();
    let g_pressed_at = StoredValue::new(None::<f64>);
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.default_prevented() || !handle_everywhere(&event, overlays) {
            return;
        }
        let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
        if !plain || !prefs.single_keys.get_untracked() || is_typing(&event) || is_dialog_open() {
            return;
        }
        let now = event.time_stamp();
        let after_g = g_pressed_at
            .try_update_value(Option::take)
            .flatten()
            .is_some_and(|at| now - at < SEQUENCE);
        let Some(action) = single_key(&event.key(), after_g) else {
            return;
        };
        event.prevent_default();
        match action {
            KeyAction::Go(path) => acting.go(path),
            KeyAction::Begin(action) => action.begin(acting),
            KeyAction::Filter => browser::focus(".table .filter input"),
            KeyAction::Shortcuts => overlays.shortcuts.set(true),
            KeyAction::AwaitSecondKey => g_pressed_at.set_value(Some(now)),
        }
    });
    on_cleanup(move || handle.remove());
}

fn single_key(key: &str, after_g: bool) -> Option<KeyAction> {
    if after_g {
        let page = registry::nav().find(|(_, nav)| nav.key == Some(key));
        return page.map(|(page, _)| KeyAction::Go(page.path));
    }
    let of_fleet = || {
        let action = FLEET_ACTIONS.into_iter().find(|action| action.key == key);
        action.map(KeyAction::Begin)
    };
    match key {
        "g" => Some(KeyAction::AwaitSecondKey),
        "/" => Some(KeyAction::Filter),
        "?" => Some(KeyAction::Shortcuts),
        _ => of_fleet(),
    }
}

/// Handles the keys that work in fields too. Answers `false` if the key was one of them.
fn handle_everywhere(event: &KeyboardEvent, overlays: Overlays) -> bool {
    match event.key().as_str() {
        "k" | "K" if event.ctrl_key() || event.meta_key() => {
            event.prevent_default();
            // The palette does not open over another dialog.
            if overlays.palette.get_untracked() || !is_dialog_open() {
                overlays.palette.update(|open| *open = !*open);
            }
            false
        }
        "F6" => {
            event.prevent_default();
            next_region(event.shift_key());
            false
        }
        "F8" => {
            event.prevent_default();
            browser::focus(toast::PLACE);
            false
        }
        _ => true,
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let editable = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
    target.is_some_and(|target| target.matches(editable).unwrap_or(false))
}

fn is_dialog_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Moves the focus to the next region of the page: navigation, top bar, content, panel.
fn next_region(backward: bool) {
    const REGIONS: &str = "nav.sidebar, header.top-bar, main, .drawer";
    let Some(page) = document().document_element() else {
        return;
    };
    let seen = |element: &HtmlElement| element.offset_parent().is_some();
    let mut regions = browser::all(&page, REGIONS);
    regions.retain(seen);
    let active = document().active_element();
    // A panel is inside the content, so the last region that contains the focus is the innermost.
    let at = regions
        .iter()
        .rposition(|region| region.contains(active.as_deref()));
    let count = regions.len();
    if count == 0 {
        return;
    }
    let next = match at {
        Some(at) if backward => (at + count - 1) % count,
        Some(at) => (at + 1) % count,
        None => 0,
    };
    let region = &regions[next];
    let controls = browser::all(region, "a[href], button, input, [tabindex='0']");
    let first = controls.into_iter().find(seen);
    first.unwrap_or_else(|| region.clone()).focus().ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::fleet::ADD_DEVICE;

    #[test]
    fn g_waits_for_where_to_go() {
        assert_eq!(single_key("g", false), Some(KeyAction::AwaitSecondKey));
        assert_eq!(single_key("d", true), Some(KeyAction::Go("/devices")));
        assert_eq!(single_key("d", false), None);
        assert_eq!(single_key("a", false), Some(KeyAction::Begin(&ADD_DEVICE)));
        assert_eq!(single_key("a", true), None);
    }
}
