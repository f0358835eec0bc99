//! The dialog that lists the keyboard shortcuts.

use super::Overlays;
use crate::{
    components::{button::Button, dialog::Dialog},
    copy::frame as copy,
};
use leptos::prelude::*;

#[component]
pub fn Shortcuts() -> impl IntoView {
    let overlays: Overlays = expect_context();
    let on_close = Callback::new(move |()| overlays.shortcuts.set(false));
    view! {
        <Dialog title=copy::SHORTCUTS on_close>
            <div class="dialog-body">
                <Keys title=copy::KEYS_EVERYWHERE keys=copy::KEYS/>
                <Keys title=copy::KEYS_IN_TABLES keys=copy::TABLE_KEYS/>
            </div>
            <footer class="dialog-foot"><Button label=copy::CLOSE on_press=move || on_close.run(())/></footer>
        </Dialog>
    }
}

#[component]
fn Keys(title: &'static str, keys: &'static [(&'static str, &'static str)]) -> impl IntoView {
    let line = |(keys, words): &'static (&str, &str)| view! { <div><dt><kbd>{*keys}</kbd></dt><dd>{*words}</dd></div> };
    view! {
        <section class="keys">
            <h3>{title}</h3>
            <dl>{keys.iter().map(line).collect_view()}</dl>
        </section>
    }
}
