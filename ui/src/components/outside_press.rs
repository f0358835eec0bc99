//! Presses outside of a panel, and moves of the focus to the outside, which close it.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, FocusEvent, Node};

/// Calls `on_press` at each press outside of `root`, for as long as the caller is mounted.
pub fn outside_press<E>(root: NodeRef<E>, on_press: impl Fn() + 'static)
where
    E: html::ElementType + 'static,
    E::Output: JsCast + AsRef<Node> + Clone + 'static,
{
    let listener = window_event_listener(ev::pointerdown, move |event| {
        if !is_inside(root, event.target()) {
            on_press();
        }
    });
    on_cleanup(move || listener.remove());
}

/// Whether the focus moves to an element outside of `root`. A focus that goes nowhere, as when its element is removed,
/// does not.
#[must_use]
pub fn focus_leaves<E>(root: NodeRef<E>, event: &FocusEvent) -> bool
where
    E: html::ElementType + 'static,
    E::Output: JsCast + AsRef<Node> + Clone + 'static,
{
    let target = event.related_target();
    target.is_some() && !is_inside(root, target)
}

/// Whether an element is `root` or inside it.
#[must_use]
pub fn is_inside<E>(root: NodeRef<E>, target: Option<EventTarget>) -> bool
where
    E: html::ElementType + 'static,
    E::Output: JsCast + AsRef<Node> + Clone + 'static,
{
    let target = target.and_then(|target| target.dyn_into::<Node>().ok());
    root.try_get_untracked().flatten().is_some_and(|root| {
        let root: &Node = root.as_ref();
        root.contains(target.as_ref())
    })
}
