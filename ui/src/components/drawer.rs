//! The panel at the side of the content: the details of an object, or a form beside a list.

use super::{button::Button, closing::Closing, focus::Opener};
use crate::copy::{inventory_table, table as copy};
use leptos::{html, prelude::*};

/// A panel that is open for as long as it is mounted. It stays mounted while what it shows changes, and the focus stays
/// where it is.
///
/// Escape in it closes it, after a question if something is `edited`. The focus then returns to where it came from.
#[component]
pub fn Drawer(
    /// The heading, which is the name of the object.
    #[prop(into)]
    name: Signal<String>,
    #[prop(into)] on_close: Callback<()>,
    /// Asks for the focus, as a person does who opens the panel to work in it. The panel sets it back.
    #[prop(optional, into)]
    focus: Option<RwSignal<bool>>,
    #[prop(optional, into)] edited: Signal<bool>,
    /// The content is a form with a button of its own that closes it.
    #[prop(optional)]
    is_form: bool,
    /// Buttons above the content.
    #[prop(optional_no_strip)]
    actions: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let root = NodeRef::<html::Aside>::new();
    let opener = StoredValue::new_local(Opener::now());
    Effect::new(move || {
        let asked = focus.filter(|focus| focus.get());
        if let (Some(asked), Some(root)) = (asked, root.get()) {
            opener.set_value(Opener::now());
            root.focus().ok();
            asked.set(false);
        }
    });
    on_cleanup(move || {
        if let Some(opener) = opener.try_get_value() {
            opener.give_back_soon();
        }
    });
    let closing = Closing::new(edited, on_close);
    let close = (!is_form)
        .then(|| view! { <Button label=inventory_table::CLOSE on_press=move || _ = closing.leave()/> });
    view! {
        <aside class="drawer" class:editor=is_form tabindex="-1" aria-label=move || copy::details_of(&name.read())
            node_ref=root on:keydown=move |event| closing.on_key(&event)>
            <header><h2>{move || name.get()}</h2>{close}</header>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
            {children()}
            {closing.question()}
        </aside>
    }
}
