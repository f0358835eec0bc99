//! The top bar: heading, the page's own actions, search, jobs and the account menu.

use super::{Overlays, PageInfo, jobs::JobsButton};
use crate::{
    components::{
        button::{Button, ButtonKind},
        icon::{Icon, lucide},
        select::Select,
    },
    copy::{frame as copy, settings},
    prefs::{Theme, use_prefs},
};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use wasm_bindgen::JsCast;

#[component]
pub fn TopBar(heading: NodeRef<html::H1>) -> impl IntoView {
    let page: PageInfo = expect_context();
    let overlays: Overlays = expect_context();
    let title = move || page.title.with(|title| title.first().cloned());
    let navigation = move || {
        if overlays.drawer.get() {
            copy::CLOSE_NAVIGATION
        } else {
            copy::OPEN_NAVIGATION
        }
    };
    view! {
        <header class="top-bar">
            <button type="button" class="icon-button navigation" aria-label=navigation
                aria-expanded=move || overlays.drawer.get().to_string()
                on:click=move |_| overlays.drawer.update(|open| *open = !*open)>
                <Icon glyph=lucide::MENU/>
            </button>
            <h1 tabindex="-1" node_ref=heading>{title}</h1>
            {move || page.actions.get().into_iter().map(|(_, actions)| actions.run()).collect_view()}
            <button type="button" class="search-button" aria-haspopup="dialog"
                on:click=move |_| overlays.palette.set(true)>
                <Icon glyph=lucide::SEARCH/>
                <span class="grow">{copy::SEARCH}</span>
                <kbd aria-hidden="true">{copy::KEYS_SEARCH}</kbd>
            </button>
            <JobsButton/>
            <AccountMenu/>
        </header>
    }
}

#[component]
fn AccountMenu() -> impl IntoView {
    let overlays: Overlays = expect_context();
    let prefs = use_prefs();
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !root
            .get_untracked()
            .is_some_and(|root| root.contains(target.as_ref()))
        {
            open.set(false);
        }
    });
    on_cleanup(move || outside.remove());
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            open.set(false);
            crate::browser::focus(".account > button");
        }
    };
    let themes = || {
        settings::THEMES
            .iter()
            .map(|(value, title, _)| ((*value).to_owned(), (*title).to_owned()))
            .collect()
    };
    let theme = move |(word,): (String,)| {
        if let Some(theme) = Theme::from_word(&word) {
            prefs.theme.set(theme);
        }
    };
    let shortcuts = move || {
        open.set(false);
        overlays.shortcuts.set(true);
    };
    view! {
        <div class="account" node_ref=root on:keydown=keys>
            <button type="button" class="icon-button" aria-label=copy::ACCOUNT title=copy::ACCOUNT aria-haspopup="dialog"
                aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                <Icon glyph=lucide::USER/>
            </button>
            {move || open.get().then(|| view! {
                <div class="popover" role="group" aria-label=copy::ACCOUNT>
                    <p class="line muted caption">{copy::THIS_COMPUTER}</p>
                    <div class="line">
                        <Select label=copy::THEME options=themes() on_change=Callback::new(theme)
                            value=Signal::derive(move || prefs.theme.get().as_str().to_owned())/>
                    </div>
                    <div class="line"><Button label=copy::SHORTCUTS kind=ButtonKind::Quiet glyph=lucide::KEYBOARD on_press=shortcuts/></div>
                </div>
            })}
        </div>
    }
}
