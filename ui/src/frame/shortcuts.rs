//! The dialog that lists the keyboard shortcuts.

use super::Overlays;
use crate::{
    actions::fleet::FLEET_ACTIONS,
    components::{button::Button, dialog::Dialog},
    copy::frame as copy,
    registry,
};
use leptos::prelude::*;

#[component]
pub fn Shortcuts() -> impl IntoView {
    let overlays: Overlays = expect_context();
    let on_close = Callback::new(move |()| overlays.shortcuts.set(false));
    view! {
        <Dialog title=copy::SHORTCUTS on_close>
            // In a low window it scrolls, and nothing in it takes the focus.
            <div class="dialog-body" role="region" tabindex="0" aria-label=copy::SHORTCUTS>
                <Keys title=copy::KEYS_EVERYWHERE keys=everywhere()/>
                <Keys title=copy::KEYS_IN_TABLES keys=listed(copy::TABLE_KEYS)/>
                <Keys title=copy::KEYS_IN_LOGS keys=listed(copy::LOG_KEYS)/>
            </div>
            <footer class="dialog-foot"><Button label=copy::CLOSE on_press=move || on_close.run(())/></footer>
        </Dialog>
    }
}

type Shortcut = (String, &'static str);

/// The keys of the frame, with those of the pages and of the fleet after the key of the filter.
fn everywhere() -> Vec<Shortcut> {
    let of_page = |(page, nav): (&'static registry::Page, &'static registry::Nav)| {
        let key = nav.key?;
        Some((copy::go_key(key), page.title))
    };
    let mut keys = listed(copy::KEYS_TO_SEARCH);
    keys.extend(registry::nav().filter_map(of_page));
    keys.extend(FLEET_ACTIONS.map(|action| (action.key.to_owned(), action.verb)));
    keys.extend(listed(copy::KEYS));
    keys
}

fn listed(keys: &[(&str, &'static str)]) -> Vec<Shortcut> {
    keys.iter()
        .map(|(keys, words)| ((*keys).to_owned(), *words))
        .collect()
}

#[component]
fn Keys(title: &'static str, keys: Vec<Shortcut>) -> impl IntoView {
    let line = |(keys, words): Shortcut| view! { <div><dt><kbd>{keys}</kbd></dt><dd>{words}</dd></div> };
    view! {
        <section class="keys">
            <h3>{title}</h3>
            <dl>{keys.into_iter().map(line).collect_view()}</dl>
        </section>
    }
}
