//! Small pictures beside words. They are decoration: the word carries the meaning.

pub mod lucide;

use leptos::prelude::*;

/// The inside of an SVG drawn on a 24 × 24 grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph(pub &'static str);

/// A glyph at the size of the text beside it.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" inner_html=glyph.0></svg>
    }
}
