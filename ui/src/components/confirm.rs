//! The dialog that asks before something is lost.

use super::{
    button::{Button, ButtonKind},
    dialog::Dialog,
    field::Field,
    focus::focus_when_shown,
    icon::{Icon, lucide},
};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// Asks before something is lost. With `typed`, the person has to type that text first.
///
/// The focus is on the safe button at first, or in the field if there is one; Enter in the field does nothing until the
/// text matches.
#[component]
pub fn ConfirmDanger(
    #[prop(into)] title: String,
    /// What is lost, what stays, and how to get it back.
    #[prop(into)]
    text: Signal<String>,
    /// The label of the confirming button, verb and object, as in "Revoke nas".
    #[prop(into)]
    action: String,
    /// The label of the safe button, as in "Keep nas".
    #[prop(into)]
    keep: String,
    #[prop(optional, into)] typed: Option<String>,
    #[prop(optional, into)] busy: Signal<bool>,
    #[prop(optional, into)] error: Signal<Option<String>>,
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
        Some(format!("Type {wanted} first."))
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
                    <p>{move || text.get()}</p>
                    {typed.map(|name| view! {
                        <Field label=format!("Type {name} to confirm") value=given verbatim=true
                            on_input=move |text| given.set(text)/>
                    })}
                    {move || error.get().map(|error| view! {
                        <p class="field-error" role="alert"><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p>
                    })}
                </div>
                <footer class="dialog-foot">
                    <Button label=keep.clone() node_ref=safe on_press=move || on_keep.run(())/>
                    <Button label=action.clone() kind=ButtonKind::Danger busy reason submit=true/>
                </footer>
            </form>
        </Dialog>
    }
}
