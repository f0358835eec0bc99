//! Closing a panel whose fields can be edited: Escape asks before edits are lost.

use super::{
    button::{Button, ButtonKind},
    dialog::Dialog,
    focus::focus_when_shown,
};
use crate::copy::forms as copy;
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// How a panel closes. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    edited: Signal<bool>,
    asking: RwSignal<bool>,
    on_close: Callback<()>,
}

impl Closing {
    #[must_use]
    pub fn new(edited: Signal<bool>, on_close: Callback<()>) -> Self {
        Self {
            edited,
            asking: RwSignal::new(false),
            on_close,
        }
    }

    /// Closes the panel, or asks first. Answers whether it closed it.
    pub fn leave(self) -> bool {
        if self.edited.get_untracked() {
            self.asking.set(true);
            return false;
        }
        // The panel may be on its way out already.
        self.on_close.try_run(());
        true
    }

    pub fn on_key(self, event: &KeyboardEvent) {
        if event.key() == "Escape" && !event.default_prevented() {
            event.prevent_default();
            event.stop_propagation();
            self.leave();
        }
    }

    /// The question, while it is open.
    #[must_use]
    pub fn question(self) -> AnyView {
        let keep = Callback::new(move |()| self.asking.set(false));
        let question = move || {
            let asking = self.asking.get();
            asking.then(|| view! { <Question on_discard=self.on_close on_keep=keep/> }.into_any())
        };
        question.into_any()
    }
}

#[component]
fn Question(on_discard: Callback<()>, on_keep: Callback<()>) -> impl IntoView {
    let keep = NodeRef::<html::Button>::new();
    focus_when_shown(keep);
    view! {
        <Dialog title=copy::DISCARD_TITLE alert=true on_close=on_keep>
            <div class="dialog-body"><p>{copy::DISCARD_TEXT}</p></div>
            <footer class="dialog-foot">
                <Button label=copy::KEEP node_ref=keep on_press=move || on_keep.run(())/>
                <Button label=copy::DISCARD kind=ButtonKind::Danger on_press=move || on_discard.run(())/>
            </footer>
        </Dialog>
    }
}
