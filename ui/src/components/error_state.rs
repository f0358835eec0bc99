//! The content in place of something that failed: the message and a button to try again.

use super::{
    badge::Tone,
    button::Button,
    clipboard_block::ClipboardBlock,
    icon::{Icon, lucide},
};
use crate::copy::errors as copy;
use leptos::prelude::*;

/// The message in place of content that could not be loaded.
#[component]
pub fn ErrorState(
    /// What happened, why, and what to do next.
    #[prop(into)]
    message: Signal<String>,
    /// What a report about it needs, to be copied; none when empty.
    #[prop(optional, into)]
    details: Signal<String>,
    #[prop(optional, into)] on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let has_details = Memo::new(move |_| details.with(|details| !details.is_empty()));
    view! {
        <div class="notice bad" role="alert">
            <span class="bad"><Icon glyph=lucide::CIRCLE_ALERT/></span>
            <div class="said">
                <p>{move || message.get()}</p>
                {move || has_details.get().then(|| view! {
                    <details>
                        <summary>{copy::DETAILS}</summary>
                        <ClipboardBlock what=copy::DETAILS_NAME text=details/>
                    </details>
                })}
            </div>
            {on_retry.map(|on_retry| view! {
                <div class="actions"><Button label="Try again" on_press=move || on_retry.run(())/></div>
            })}
        </div>
    }
}

/// A remark inside a page or a dialog, in the color of its tone.
#[component]
pub fn Notice(
    tone: Tone,
    /// The first line, in bold.
    #[prop(optional, into)]
    title: Option<String>,
    #[prop(into)] text: Signal<String>,
    /// Actions about it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let glyph = match tone {
        Tone::Ok => lucide::CIRCLE_CHECK,
        Tone::Warn => lucide::TRIANGLE_ALERT,
        Tone::Bad => lucide::CIRCLE_ALERT,
        Tone::Info | Tone::Off | Tone::Relay => lucide::INFO,
    };
    view! {
        <div class=format!("notice {}", tone.class()) role="note">
            <span class=tone.class()><Icon glyph/></span>
            <div class="said">
                {title.map(|title| view! { <strong>{title}</strong> })}
                <p>{move || text.get()}</p>
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}
