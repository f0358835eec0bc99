//! Icons beside words. They are decoration, hidden from screen readers: the word carries the meaning.

pub mod lucide;

use leptos::prelude::*;

/// The content of an SVG element on a 24 × 24 grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph(pub &'static str);

/// A glyph in the size of the text beside it.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" inner_html=glyph.0></svg>
    }
}
