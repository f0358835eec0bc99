//! The placeholder of content that is being loaded. The style sheet shows it only after a delay.

use leptos::prelude::*;

/// Bars in the size of the coming content and, after a second, a sentence about it.
#[component]
pub fn Skeleton(
    bones: usize,
    /// The CSS height of a bar.
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
