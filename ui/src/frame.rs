//! What surrounds a page: top bar, sidebar, the banner of a lost controller.

use crate::{
    components::icon::{Glyph, Icon, lucide},
    copy::frame as copy,
    pages::sign_in::SignInPage,
    session::Session,
    store::use_store,
};
use leptos::{html, prelude::*};
use leptos_router::{components::A, hooks::use_location};

/// The title of the page, from the page itself: the object first, then where it is.
#[derive(Debug, Clone, Copy)]
struct Title(RwSignal<Vec<String>>);

/// Says what this page is called: its heading is the first, and the window's title is all of them.
pub fn page_title(crumbs: impl Fn() -> Vec<String> + 'static) {
    if let Some(Title(title)) = use_context() {
        Effect::new(move |_| title.set(crumbs()));
    }
}

struct Item {
    path: &'static str,
    name: &'static str,
    glyph: Glyph,
}

const TOP: [Item; 2] = [
    Item { path: "/", name: copy::DASHBOARD, glyph: lucide::LAYOUT_DASHBOARD },
    Item { path: "/devices", name: copy::DEVICES, glyph: lucide::SERVER },
];
const DOCKER: [Item; 5] = [
    Item { path: "/containers", name: copy::CONTAINERS, glyph: lucide::BOX },
    Item { path: "/stacks", name: copy::STACKS, glyph: lucide::LAYERS },
    Item { path: "/images", name: copy::IMAGES, glyph: lucide::IMAGE },
    Item { path: "/volumes", name: copy::VOLUMES, glyph: lucide::HARD_DRIVE },
    Item { path: "/networks", name: copy::NETWORKS, glyph: lucide::NETWORK },
];
const SYSTEM: [Item; 2] = [
    Item { path: "/activity", name: copy::ACTIVITY, glyph: lucide::HISTORY },
    Item { path: "/settings", name: copy::SETTINGS, glyph: lucide::SETTINGS },
];

/// The frame of every page but the first visit's.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let store = use_store();
    let title = RwSignal::new(Vec::new());
    provide_context(Title(title));
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| document().set_title(&window_title(&title.get())));
    let location = use_location();
    let path = Memo::new(move |_| location.pathname.get());
    Effect::new(move |previous: Option<String>| {
        let path = path.get();
        if previous.is_some_and(|previous| previous != path) && let Some(heading) = heading.get_untracked() {
            heading.focus().ok();
        }
        path
    });
    let pages = children();
    view! {
        <a class="skip" href="#content">{copy::SKIP}</a>
        <div class="frame" class:bare=move || path.get() == "/welcome">
            <Sidebar/>
            <header class="top-bar">
                <h1 tabindex="-1" node_ref=heading>{move || title.get().first().cloned()}</h1>
            </header>
            <main id="content" tabindex="-1">
                <Show when=move || store.session.get() == Session::Missing fallback=|| ()>
                    <SignInPage/>
                </Show>
                {pages}
            </main>
        </div>
    }
}

#[component]
fn Sidebar() -> impl IntoView {
    let item = |item: &'static Item| {
        view! {
            <li><A href=item.path exact={item.path == "/"}><Icon glyph=item.glyph/><span class="label">{item.name}</span></A></li>
        }
    };
    view! {
        <nav class="sidebar" aria-label=copy::MAIN>
            <ul>{TOP.iter().map(item).collect_view()}</ul>
            <h2>{copy::GROUP_DOCKER}</h2>
            <ul>{DOCKER.iter().map(item).collect_view()}</ul>
            <h2>{copy::GROUP_SYSTEM}</h2>
            <ul>{SYSTEM.iter().map(item).collect_view()}</ul>
        </nav>
    }
}

fn window_title(crumbs: &[String]) -> String {
    let crumbs = crumbs.iter().map(String::as_str).chain([copy::PRODUCT]);
    crumbs.collect::<Vec<_>>().join(" · ")
}
