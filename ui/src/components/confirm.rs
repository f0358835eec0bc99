//! The dialog that asks before something is lost.

use super::{
    button::{Button, ButtonKind},
    dialog::Dialog,
    field::Field,
    focus::focus_when_shown,
    icon::{Icon, lucide},
};
use crate::copy::actions as copy;
use leptos::{ev::SubmitEvent, html, prelude::*};

/// What is at stake: sentences, each about one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stakes {
    /// What happens, before the lists.
    pub text: String,
    pub lost: Vec<String>,
    pub kept: Vec<String>,
    /// How to get back what is lost.
    pub back: String,
}

impl Stakes {
    /// Stakes that one text tells.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// Asks before something is lost. With `typed`, the person has to type that text first.
///
/// The focus is on the safe button at first, also if there is a field; Enter in the field does nothing until the text
/// matches.
#[component]
pub fn ConfirmDanger(
    #[prop(into)] title: String,
    stakes: Stakes,
    /// The label of the confirming button, verb and object, as in "Revoke nas".
    #[prop(into)]
    action: String,
    /// The label of the safe button, as in "Keep nas".
    #[prop(into)]
    keep: String,
    #[prop(optional_no_strip, into)] typed: Option<String>,
    #[prop(optional, into)] busy: Signal<bool>,
    /// What goes on while it is busy: "Revoking…"
    #[prop(default = copy::DOING)]
    doing: &'static str,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// Shown after the stakes: the objects, and what goes on.
    #[prop(optional)]
    children: Option<Children>,
    #[prop(into)] on_confirm: Callback<()>,
    #[prop(into)] on_keep: Callback<()>,
) -> impl IntoView {
    let safe = NodeRef::<html::Button>::new();
    let given = RwSignal::new(String::new());
    let wanted = typed.clone();
    let reason = Signal::derive(move || {
        let wanted = wanted
            .as_ref()
            .filter(|wanted| given.with(|given| given != *wanted))?;
        Some(copy::type_first(wanted))
    });
    focus_when_shown(safe);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if reason.with_untracked(Option::is_none) && !busy.get_untracked() {
            on_confirm.run(());
        }
    };
    view! {
        <Dialog title alert=true on_close=on_keep>
            <form on:submit=submit novalidate>
                <div class="dialog-body">
                    {stakes_view(stakes)}
                    {children.map(|children| children())}
                    {typed.map(|name| view! {
                        <Field label=copy::type_to_confirm(&name) value=given verbatim=true
                            on_input=move |text| given.set(text)/>
                    })}
                    {move || error.get().map(|error| view! {
                        <p class="field-error" role="alert"><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p>
                    })}
                </div>
                <footer class="dialog-foot">
                    <Button label=keep.clone() node_ref=safe on_press=move || on_keep.run(())/>
                    <Button label=action.clone() kind=ButtonKind::Danger busy doing reason submit=true/>
                </footer>
            </form>
        </Dialog>
    }
}

/// What is lost, what stays, and the way back.
#[must_use]
pub fn stakes_view(stakes: Stakes) -> AnyView {
    let Stakes {
        text,
        lost,
        kept,
        back,
    } = stakes;
    let said = |text: String| (!text.is_empty()).then(|| view! { <p>{text}</p> });
    let list = |title: &'static str, lines: Vec<String>, class: &'static str, glyph| {
        (!lines.is_empty()).then(|| {
            let line = |line: String| view! { <li><span class=class><Icon glyph/></span><span>{line}</span></li> };
            view! { <div><h3>{title}</h3><ul class="losses">{lines.into_iter().map(line).collect_view()}</ul></div> }
        })
    };
    view! {
        {said(text)}
        {list(copy::LOST, lost, "bad", lucide::CIRCLE_X)}
        {list(copy::KEPT, kept, "ok", lucide::CIRCLE_CHECK)}
        {said(back)}
    }
    .into_any()
}
