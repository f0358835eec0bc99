//! Short messages in a corner of the page. A confirmation disappears after six seconds without the pointer or the focus
//! on it; an error stays until it is dismissed.
//!
//! A modal dialog makes everything outside of it inert, so each dialog has a place for toasts of its own, and they are
//! in that of the uppermost dialog.

use super::{
    button::{Button, ButtonKind, IconButton},
    icon::{Icon, lucide},
};
use crate::browser;
use gloo_timers::callback::Timeout;
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// Selects the place where toasts are shown.
pub const PLACE: &str = ".toasts[aria-label]";

/// How long a confirmation is shown.
const STAYS_MS: u32 = 6_000;

/// One message.
#[derive(Debug, Clone)]
struct Toast {
    id: u32,
    text: String,
    is_error: bool,
    action: Option<(String, Callback<()>)>,
}

/// Shows toasts. A handle: copies share the same list.
#[derive(Debug, Clone, Copy)]
pub struct Toaster {
    shown: RwSignal<Vec<Toast>>,
    /// The places in open dialogs, by number, the uppermost last.
    dialogs: RwSignal<Vec<u32>>,
    next: StoredValue<u32>,
}

impl Toaster {
    /// Provides a toaster without toasts to the components below.
    pub fn provide() -> Self {
        let toaster = Self {
            shown: RwSignal::new(Vec::new()),
            dialogs: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
        };
        provide_context(toaster);
        toaster
    }

    /// Shows a confirmation.
    pub fn confirm(self, text: impl Into<String>) {
        self.show(text.into(), false, None);
    }

    /// Shows a confirmation with a button, such as "Undo".
    pub fn offer(self, text: impl Into<String>, label: &str, action: Callback<()>) {
        self.show(text.into(), false, Some((label.to_owned(), action)));
    }

    /// Shows an error; it stays until it is dismissed.
    pub fn fail(self, text: impl Into<String>) {
        self.show(text.into(), true, None);
    }

    fn show(self, text: String, is_error: bool, action: Option<(String, Callback<()>)>) {
        let id = self.number();
        self.shown.update(|shown| {
            shown.push(Toast {
                id,
                text,
                is_error,
                action,
            })
        });
    }

    fn number(self) -> u32 {
        let number = self.next.get_value();
        self.next.set_value(number + 1);
        number
    }

    fn dismiss(self, id: u32) {
        self.shown.update(|shown| shown.retain(|toast| toast.id != id));
    }
}

#[must_use]
pub fn use_toaster() -> Toaster {
    expect_context()
}

/// The place of toasts in the page or, with `in_dialog`, in a dialog. F8 moves the focus to it.
#[component]
pub fn Toasts(#[prop(optional)] in_dialog: bool) -> impl IntoView {
    let toaster = use_toaster();
    let own = in_dialog.then(|| toaster.number());
    if let Some(own) = own {
        toaster.dialogs.update(|dialogs| dialogs.push(own));
        on_cleanup(move || {
            toaster
                .dialogs
                .update(|dialogs| dialogs.retain(|known| *known != own))
        });
    }
    let is_uppermost = Memo::new(move |_| toaster.dialogs.with(|dialogs| dialogs.last().copied()) == own);
    let place = NodeRef::<html::Section>::new();
    Effect::new(move || {
        if let Some(place) = place.get() {
            // In the next frame: above a dialog is only what is shown after it.
            browser::next_frame(move || _ = place.show_popover());
        }
    });
    let in_place = move |errors| {
        if is_uppermost.get() {
            listed(toaster, errors)
        } else {
            Vec::new()
        }
    };
    view! {
        <section class="toasts" popover="manual" tabindex="-1" node_ref=place
            aria-label=move || is_uppermost.get().then_some("Notifications")>
            <div role="status" class="toast-list">
                <For each=move || in_place(false) key=|toast| toast.id let:toast><ToastCard toast/></For>
            </div>
            <div role="alert" class="toast-list">
                <For each=move || in_place(true) key=|toast| toast.id let:toast><ToastCard toast/></For>
            </div>
        </section>
    }
}

fn listed(toaster: Toaster, errors: bool) -> Vec<Toast> {
    toaster.shown.with(|shown| {
        shown
            .iter()
            .filter(|toast| toast.is_error == errors)
            .cloned()
            .collect()
    })
}

#[component]
fn ToastCard(toast: Toast) -> impl IntoView {
    let toaster = use_toaster();
    let id = toast.id;
    let leave = StoredValue::new_local(None::<Timeout>);
    let hold = move || _ = leave.try_set_value(None);
    let start = move || {
        hold();
        if !toast.is_error {
            leave.try_set_value(Some(Timeout::new(STAYS_MS, move || toaster.dismiss(id))));
        }
    };
    start();
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            toaster.dismiss(id);
        }
    };
    let action = toast.action.map(|(label, action)| {
        let press = move || {
            toaster.dismiss(id);
            action.run(());
        };
        view! { <Button label kind=ButtonKind::Quiet on_press=press/> }
    });
    let (class, glyph) = if toast.is_error {
        ("bad", lucide::CIRCLE_ALERT)
    } else {
        ("ok", lucide::CIRCLE_CHECK)
    };
    view! {
        <div class="toast" on:mouseenter=move |_| hold() on:mouseleave=move |_| start()
            on:focusin=move |_| hold() on:focusout=move |_| start() on:keydown=keys>
            <span class=class><Icon glyph/></span>
            <p>{toast.text}</p>
            {action}
            <IconButton name="Dismiss" glyph=lucide::X on_press=move || toaster.dismiss(id)/>
        </div>
    }
}
