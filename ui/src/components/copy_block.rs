//! A command or a file to take elsewhere. Copying works over plain HTTP, and by hand where the browser refuses both ways.

use super::{
    button::{Button, Kind},
    icon::lucide,
};
use leptos::{ev, html, prelude::*};
use std::{ops::Range, time::Duration};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ClipboardEvent, HtmlDocument, HtmlElement};

/// How long "Copied" stays.
const TOLD_FOR: Duration = Duration::from_secs(2);

/// What became of the last attempt to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Copied,
    /// The text is selected; the person copies it.
    ByHand,
}

/// Text with its copy button. `what` names it: "install command".
///
/// The part in `secret` shows only under the pointer or the keyboard; it is copied all the same.
#[component]
pub fn CopyBlock(
    #[prop(into)] what: String,
    #[prop(into)] text: Signal<String>,
    #[prop(optional, into)] secret: Signal<Option<Range<usize>>>,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] button_ref: NodeRef<html::Button>,
    /// More buttons beside the one that copies.
    #[prop(optional, into)]
    more: Option<AnyView>,
) -> impl IntoView {
    let told = RwSignal::new(Told::Nothing);
    let shown = NodeRef::<html::Pre>::new();
    let copy = move || {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            let done = copied(&text, shown.get_untracked().as_deref()).await;
            told.set(if done { Told::Copied } else { Told::ByHand });
            if done {
                set_timeout(move || _ = told.try_set(Told::Nothing), TOLD_FOR);
            }
        });
    };
    let glyph = lucide::COPY;
    let words = move || match told.get() {
        Told::Nothing => "",
        Told::Copied => "Copied ✓",
        Told::ByHand => "Press Ctrl+C to copy",
    };
    let lines = move || {
        let secret = secret.get();
        text.with(|text| pieces(text, secret.as_ref())).into_iter().map(line).collect_view()
    };
    view! {
        <div class="copy-block" role="group" aria-label=capitalized(&what)>
            <div class="actions">
                <Button label=format!("Copy {what}") kind glyph node_ref=button_ref on_press=copy/>
                {more}
                <span class="told" role="status">{words}</span>
            </div>
            <pre tabindex="0" node_ref=shown aria-label=format!("Text of the {what}") role="region">{lines}</pre>
        </div>
    }
}

/// A piece of a line, and whether it is secret.
type Piece = (String, bool);

fn line(pieces: Vec<Piece>) -> impl IntoView {
    let pieces = pieces.into_iter().map(|(text, secret)| {
        if secret { view! { <span class="secret">{text}</span> }.into_any() } else { text.into_any() }
    });
    view! { <span class="line">{pieces.collect_view()}</span> "\n" }
}

/// The lines of a text, each split where the secret begins and ends.
fn pieces(text: &str, secret: Option<&Range<usize>>) -> Vec<Vec<Piece>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.trim_end_matches('\n').split('\n') {
        let end = start + line.len();
        let cut = |at: usize| at.clamp(start, end);
        let (from, to) = secret.map_or((end, end), |secret| (cut(secret.start), cut(secret.end)));
        let parts = [(start..from, false), (from..to, true), (to..end, false)];
        let kept = parts.into_iter().filter(|(range, _)| !range.is_empty());
        lines.push(kept.filter_map(|(range, secret)| Some((text.get(range)?.to_owned(), secret))).collect());
        start = end + 1;
    }
    lines
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Copies a text; if no way of the browser does it, selects what is shown and answers false.
async fn copied(text: &str, shown: Option<&HtmlElement>) -> bool {
    if window().is_secure_context() {
        let clipboard = window().navigator().clipboard();
        if JsFuture::from(clipboard.write_text(text)).await.is_ok() {
            return true;
        }
    }
    let Some(shown) = shown else { return false };
    // The command copies what its listeners put down, whatever is selected.
    let own = text.to_owned();
    let put = window_event_listener(ev::copy, move |event: ClipboardEvent| {
        if let Some(data) = event.clipboard_data() {
            event.prevent_default();
            data.set_data("text/plain", &own).ok();
        }
    });
    select(shown);
    let done = document().unchecked_into::<HtmlDocument>().exec_command("copy").unwrap_or(false);
    put.remove();
    done
}

fn select(shown: &HtmlElement) {
    if let Ok(Some(selection)) = window().get_selection() {
        selection.select_all_children(shown).ok();
    }
}
