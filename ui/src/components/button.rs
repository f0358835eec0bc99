//! Buttons. One that cannot be pressed stays in the tab order and gives its reason.

use super::{
    icon::{Glyph, Icon},
    ids::fresh_id,
    waiting,
};
use crate::{
    clock::{now, use_clock},
    copy::actions as copy,
};
use leptos::{html, prelude::*};

/// The emphasis of a button. A view has at most one primary button.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    Primary,
    #[default]
    Secondary,
    Quiet,
    Danger,
}

impl ButtonKind {
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Secondary => "button secondary",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
        }
    }
}

/// A button whose visible text is its name.
///
/// A `busy` button ignores presses and says what goes on and for how long, in the width that it has anyway; `reason`
/// says why it cannot be pressed.
#[component]
pub fn Button(
    #[prop(into)] label: Signal<String>,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional, into)] glyph: Option<Glyph>,
    #[prop(optional, into)] busy: Option<Signal<bool>>,
    /// What goes on while it is busy: "Stopping…"
    #[prop(default = copy::DOING)]
    doing: &'static str,
    #[prop(optional, into)] reason: Signal<Option<String>>,
    /// A press submits the form around the button, so `on_press` may be absent.
    #[prop(optional)]
    submit: bool,
    #[prop(optional)] node_ref: NodeRef<html::Button>,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
) -> impl IntoView {
    let id = fresh_id("why");
    let described = id.clone();
    let press = move |event: leptos::ev::MouseEvent| {
        if busy.is_some_and(|busy| busy.get_untracked()) || reason.with_untracked(Option::is_some) {
            event.prevent_default();
        } else if let Some(on_press) = on_press {
            on_press.run(());
        }
    };
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=kind.class()
            aria-disabled=move || reason.with(Option::is_some).then_some("true")
            aria-busy=move || busy.is_some_and(|busy| busy.get()).then_some("true")
            aria-describedby=move || reason.with(Option::is_some).then(|| described.clone())
            title=move || reason.get()
            node_ref=node_ref
            on:click=press
        >
            {glyph.map(|glyph| view! { <Icon glyph/> })}
            <span class="words">
                <span class="label">{move || label.get()}</span>
                {busy.map(|busy| view! { <Doing busy doing/> })}
            </span>
        </button>
        {move || reason.get().map(|reason| view! { <span id=id.clone() class="visually-hidden">{reason}</span> })}
    }
}

/// What a busy button says. It has its place also while the button is not busy, so that the button keeps its width. The
/// name of the button stays its label.
#[component]
fn Doing(busy: Signal<bool>, doing: &'static str) -> impl IntoView {
    let clock = use_clock();
    let since = Memo::new(move |_| busy.get().then(now));
    let words = move || {
        let seconds = since.get().map_or(LONGEST, |since| {
            clock.second.get().as_second() - since.as_second()
        });
        waiting::words(doing, seconds)
    };
    view! { <span class="doing" aria-hidden="true">{words}</span> }
}

/// Seconds whose words are as wide as those of any wait.
const LONGEST: i64 = 59;

/// A button that shows an icon only, for rows and toolbars.
#[component]
pub fn IconButton(
    #[prop(into)] name: Signal<String>,
    glyph: Glyph,
    #[prop(optional, into)] reason: Signal<Option<String>>,
    #[prop(optional)] node_ref: NodeRef<html::Button>,
    #[prop(into)] on_press: Callback<()>,
) -> impl IntoView {
    let id = fresh_id("why");
    let described = id.clone();
    let press = move |event: leptos::ev::MouseEvent| {
        event.stop_propagation();
        if reason.with_untracked(Option::is_none) {
            on_press.run(());
        }
    };
    view! {
        <button
            type="button"
            class="icon-button"
            aria-label=move || name.get()
            title=move || reason.get().unwrap_or_else(|| name.get())
            aria-disabled=move || reason.with(Option::is_some).then_some("true")
            aria-describedby=move || reason.with(Option::is_some).then(|| described.clone())
            node_ref=node_ref
            on:click=press
        >
            <Icon glyph/>
        </button>
        {move || reason.get().map(|reason| view! { <span id=id.clone() class="visually-hidden">{reason}</span> })}
    }
}
