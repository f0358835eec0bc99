//! The placeholder of content that is being loaded. The style sheet shows it only after a delay.

use crate::{clock, format};
use leptos::prelude::*;

/// After this many seconds the sentence says how long it takes.
const ELAPSED_FROM: i64 = 3;

/// Bars in the size of the coming content and, after a second, a sentence about it.
#[component]
pub fn Skeleton(
    bones: usize,
    /// The CSS height of a bar.
    #[prop(optional_no_strip, into)]
    height: Option<&'static str>,
    #[prop(into)] sentence: String,
) -> impl IntoView {
    let (clock, since) = (clock::use_clock(), clock::now());
    let elapsed = Memo::new(move |_| {
        let seconds = clock.second.get().as_second() - since.as_second();
        (seconds >= ELAPSED_FROM).then(|| format::span(seconds))
    });
    let bone = move |_| view! { <div class="bone" aria-hidden="true" style:--bone=height></div> };
    view! {
        <div class="skeleton" aria-busy="true">
            {(0..bones).map(bone).collect_view()}
            <p class="sentence">{sentence}" "<span class="num">{elapsed}</span></p>
        </div>
    }
}
