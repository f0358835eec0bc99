//! The top bar: heading, the page's own actions, search, jobs and the account menu.

use super::{Overlays, PageInfo, jobs::JobsButton};
use crate::{
    components::{
        button::{Button, ButtonKind},
        icon::{Icon, lucide},
        popover::Popover,
        select::Select,
    },
    copy::{frame as copy, settings},
    prefs::{Theme, use_prefs},
};
use leptos::{html, prelude::*};

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
    let panel = move || {
        view! {
            <p class="line muted caption">{copy::THIS_COMPUTER}</p>
            <div class="line">
                <Select label=copy::THEME options=themes() on_change=Callback::new(theme)
                    value=Signal::derive(move || prefs.theme.get().as_str().to_owned())/>
            </div>
            <div class="line"><Button label=copy::SHORTCUTS kind=ButtonKind::Quiet glyph=lucide::KEYBOARD on_press=shortcuts/></div>
        }
    };
    view! { <Popover label=copy::ACCOUNT name=copy::ACCOUNT class="account" glyph=lucide::USER open panel/> }
}
