//! Moving the focus to an element that is about to be shown.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

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
            request_animation_frame(move || {
                element.focus().ok();
            });
        }
    });
}

/// Moves the focus to a field once it is in the page, and selects its text.
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
