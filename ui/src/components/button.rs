//! Buttons. One that cannot be pressed stays in the tab order and gives its reason.

use super::{
    icon::{Glyph, Icon},
    ids::fresh_id,
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
/// A `busy` button ignores presses; `reason` says why it cannot be pressed.
#[component]
pub fn Button(
    #[prop(into)] label: Signal<String>,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional, into)] glyph: Option<Glyph>,
    #[prop(optional, into)] busy: Signal<bool>,
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
        if busy.get_untracked() || reason.with_untracked(Option::is_some) {
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
            aria-busy=move || busy.get().then_some("true")
            aria-describedby=move || reason.with(Option::is_some).then(|| described.clone())
            title=move || reason.get()
            node_ref=node_ref
            on:click=press
        >
            {glyph.map(|glyph| view! { <Icon glyph/> })}
            <span>{move || label.get()}</span>
        </button>
        {move || reason.get().map(|reason| view! { <span id=id.clone() class="visually-hidden">{reason}</span> })}
    }
}

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
