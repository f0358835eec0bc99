//! A panel at a button. Escape, a press outside and a move of the focus to the outside close it.

use super::{
    anchor::Anchor,
    button::ButtonKind,
    focus,
    icon::{Glyph, Icon, lucide},
    outside_press::{focus_leaves, outside_press},
};
use leptos::{
    ev::{FocusEvent, KeyboardEvent},
    html,
    prelude::*,
};

/// A button and the panel that it opens. The panel is mounted only while it is open.
#[component]
pub fn Popover(
    #[prop(into)] label: Signal<String>,
    /// The accessible name of the panel.
    #[prop(into)]
    name: Signal<String>,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] kind: ButtonKind,
    /// Only this is shown on the button; the label is its accessible name.
    #[prop(optional, into)]
    glyph: Option<Glyph>,
    /// The accessible name of the button, where its label is not enough.
    #[prop(optional, into)]
    spoken: Signal<Option<String>>,
    /// Shown on the button after the label.
    #[prop(optional, into)]
    mark: ViewFn,
    /// Whether the panel is open, if others open or close it too.
    #[prop(optional, into)]
    open: Option<RwSignal<bool>>,
    #[prop(into)] panel: ViewFn,
) -> impl IntoView {
    let open = open.unwrap_or_else(|| RwSignal::new(false));
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            event.prevent_default();
            open.set(false);
            if let Some(button) = button.get_untracked() {
                button.focus().ok();
            }
        }
    };
    let leave = move |event: FocusEvent| {
        if focus_leaves(root, &event) {
            open.set(false);
        }
    };
    let named = move || glyph.map_or_else(|| spoken.get(), |_| Some(label.get()));
    let content = match glyph {
        Some(glyph) => view! { <Icon glyph/> }.into_any(),
        None => view! { <span>{move || label.get()}</span> }.into_any(),
    };
    let look = if glyph.is_some() {
        "icon-button"
    } else {
        kind.class()
    };
    let opens_down = (glyph.is_none() && kind == ButtonKind::Secondary)
        .then(|| view! { <Icon glyph=lucide::CHEVRON_DOWN/> });
    let shown = move || {
        outside_press(root, move || open.set(false));
        view! { <div class="popover" role="group" aria-label=move || name.get()>{panel.run()}</div> }
    };
    view! {
        <div class=format!("popover-root {class}") node_ref=root on:keydown=keys on:focusout=leave>
            <button type="button" class=look node_ref=button aria-haspopup="dialog" aria-label=named
                title=glyph.map(|_| move || label.get())
                aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                {content}{move || mark.run()}{opens_down}
            </button>
            {move || open.get().then(&shown)}
        </div>
    }
}

/// The panel alone, at the place of a button that is somewhere else. Escape closes it with `true`: the focus should
/// return to the button.
#[component]
pub fn PopoverPanel(
    #[prop(into)] name: String,
    anchor: Anchor,
    #[prop(into)] on_close: Callback<bool>,
    children: Children,
) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    outside_press(root, move || on_close.run(false));
    Effect::new(move || {
        if let Some(root) = root.get() {
            focus::enter(&root, |root| _ = root.focus());
        }
    });
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            event.prevent_default();
            on_close.run(true);
        }
    };
    let leave = move |event: FocusEvent| {
        if focus_leaves(root, &event) {
            // A panel that was removed hears of the focus leaving it.
            on_close.try_run(false);
        }
    };
    view! {
        <div class="popover at-button" role="group" tabindex="-1" aria-label=name style=anchor.style() node_ref=root
            on:keydown=keys on:focusout=leave>
            {children()}
        </div>
    }
}
