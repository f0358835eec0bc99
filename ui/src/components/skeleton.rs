//! The shape of what is on its way; seen on a first visit only, and not before it takes long enough to be noticed.

use leptos::prelude::*;

/// Bars at the exact size of what comes, and after a second the sentence that says what that is.
#[component]
pub fn Skeleton(
    bones: usize,
    /// CSS height of one bar.
    #[prop(optional, into)]
    height: Option<&'static str>,
    #[prop(into)] sentence: String,
) -> impl IntoView {
    let bone = move |_| view! { <div class="bone" aria-hidden="true" style:--bone=height></div> };
    view! {
        <div class="skeleton" aria-busy="true">
            {(0..bones).map(bone).collect_view()}
            <p class="sentence">{sentence}</p>
        </div>
    }
}
