//! Moving the keyboard to what a step or a result is about.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Moves the keyboard to an element as soon as it can take it.
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
            // A frame later: a dialog around it has to be open first.
            request_animation_frame(move || {
                element.focus().ok();
            });
        }
    });
}

/// The same for a field, with its text selected.
pub fn select_when_shown(field: NodeRef<html::Input>) {
    Effect::new(move || {
        if let Some(field) = field.get() {
            request_animation_frame(move || {
                field.focus().ok();
                field.select();
            });
        }
    });
}
