//! A command or a file to be copied to the clipboard: by a button or, if the browser refuses, by hand.

use super::{
    button::{Button, ButtonKind},
    icon::lucide,
};
use crate::browser;
use gloo_timers::callback::Timeout;
use leptos::{html, prelude::*};
use web_sys::HtmlElement;

/// How long "Copied" is shown.
const COPIED_SHOWN_FOR_MS: u32 = 2_000;

/// The outcome of the last press of the button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyOutcome {
    Nothing,
    Copied,
    /// The browser refused. The text is selected, so that the person can copy it.
    ByHand,
}

/// A text with its copy button. `what` is its name, such as "install command".
///
/// The middle of each `secret` in the text is masked unless the block has the pointer or the focus; the whole text is
/// copied.
#[component]
pub fn ClipboardBlock(
    #[prop(into)] what: String,
    #[prop(into)] text: Signal<String>,
    #[prop(optional, into)] secret: Signal<Option<String>>,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] button_ref: NodeRef<html::Button>,
    /// Buttons after the one that copies.
    #[prop(default = ().into_any())]
    more: AnyView,
    #[prop(optional, into)] on_copy: Option<Callback<()>>,
) -> impl IntoView {
    let outcome = RwSignal::new(CopyOutcome::Nothing);
    let shown = NodeRef::<html::Pre>::new();
    let shown_until = StoredValue::new_local(None::<Timeout>);
    let press = move || {
        if let Some(on_copy) = on_copy {
            on_copy.run(());
        }
        if text.with_untracked(|text| browser::copy_to_clipboard(text)) {
            outcome.set(CopyOutcome::Copied);
            let end = move || _ = outcome.try_set(CopyOutcome::Nothing);
            shown_until.set_value(Some(Timeout::new(COPIED_SHOWN_FOR_MS, end)));
        } else {
            outcome.set(CopyOutcome::ByHand);
            if let Some(shown) = shown.get_untracked() {
                select(&shown);
            }
        }
    };
    let glyph = lucide::COPY;
    let words = move || match outcome.get() {
        CopyOutcome::Nothing => "",
        CopyOutcome::Copied => "Copied ✓",
        CopyOutcome::ByHand => "Press Ctrl+C to copy",
    };
    let lines = move || {
        let secret = secret.get();
        text.with(|text| pieces(text, secret.as_deref().and_then(middle)))
            .into_iter()
            .map(line)
            .collect_view()
    };
    view! {
        <div class="copy-block" role="group" aria-label=capitalized(&what)>
            <div class="actions">
                <Button label=format!("Copy {what}") kind glyph node_ref=button_ref on_press=press/>
                {more}
                <span class="told" role="status">{words}</span>
            </div>
            <pre tabindex="0" node_ref=shown aria-label=format!("Text of the {what}") role="region">{lines}</pre>
        </div>
    }
}

/// A part of a line, and whether it is secret.
type Piece = (String, bool);

fn line(pieces: Vec<Piece>) -> impl IntoView {
    let pieces = pieces.into_iter().map(|(text, secret)| {
        if secret {
            view! { <span class="secret">{text}</span> }.into_any()
        } else {
            text.into_any()
        }
    });
    // Each line is a block of its own. The line break is for readers of the plain text: a selection and screen readers.
    view! { <span class="line">{pieces.collect_view()}</span><span class="line-end">"\n"</span> }
}

/// Letters of a secret that stay visible at each end, so that two secrets can be told apart.
const ENDS: usize = 4;

fn middle(secret: &str) -> Option<&str> {
    let middle = secret.get(ENDS..secret.len().checked_sub(ENDS)?)?;
    (!middle.is_empty()).then_some(middle)
}

/// The lines of a text, each split where the secret begins and ends.
fn pieces(text: &str, secret: Option<&str>) -> Vec<Vec<Piece>> {
    let split = |line: &str| {
        let Some(secret) = secret else {
            return vec![(line.to_owned(), false)];
        };
        let mut pieces = Vec::new();
        for (index, plain) in line.split(secret).enumerate() {
            if index > 0 {
                pieces.push((secret.to_owned(), true));
            }
            pieces.push((plain.to_owned(), false));
        }
        pieces
    };
    text.trim_end_matches('\n').split('\n').map(split).collect()
}

/// Our own words, which begin with an English letter: the table of all capital letters is 3 KB of a first visit.
fn capitalized(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn select(shown: &HtmlElement) {
    if let Ok(Some(selection)) = window().get_selection() {
        selection.select_all_children(shown).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_secret_is_masked_wherever_it_stands_and_nothing_is_lost() {
        let text = "run -H 'Bearer id.abcdefghij' \\\n  -e TOKEN=id.abcdefghij";
        let lines = pieces(text, middle("abcdefghij"));
        let masked: Vec<_> = lines
            .iter()
            .flatten()
            .filter(|piece| piece.1)
            .map(|piece| piece.0.as_str())
            .collect();
        assert_eq!(masked, ["ef", "ef"]);
        let whole: Vec<String> = lines
            .iter()
            .map(|line| line.iter().map(|piece| piece.0.as_str()).collect())
            .collect();
        assert_eq!(whole.join("\n"), text);
    }

    #[test]
    fn a_short_secret_has_no_middle_to_mask() {
        assert_eq!(middle("abcdefgh"), None);
        assert_eq!(middle("abc"), None);
    }
}
