//! The frame around every page: top bar, sidebar, banner of a lost controller, command palette, shortcuts.

mod banner;
mod jobs;
mod keys;
mod outlet;
mod palette;
mod ready;
mod shortcuts;
mod sidebar;
mod top_bar;

pub use jobs::JobsPanel;
pub use outlet::use_place;
pub use palette::{Group, Palette};
pub use shortcuts::Shortcuts;

use crate::{
    actions::Acting,
    components::{focus, toast::Toasts},
    copy::{frame as copy, sign_in},
    lazy_views,
    registry::{self, Place, WELCOME},
    session::Session,
    store::use_store,
};
use leptos::{html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use outlet::Outlet;

/// What the page tells the frame about itself.
#[derive(Debug, Clone, Copy)]
struct PageInfo {
    /// The crumbs of the title, the page itself first.
    title: RwSignal<Vec<String>>,
    /// The actions of the page in the top bar, with the ids by which they are removed.
    actions: RwSignal<Vec<(u32, ViewFn)>>,
    next: StoredValue<u32>,
}

/// Which overlays are open over the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overlays {
    pub jobs: RwSignal<bool>,
    pub palette: RwSignal<bool>,
    pub shortcuts: RwSignal<bool>,
    /// The sidebar as a drawer, on a narrow screen.
    pub drawer: RwSignal<bool>,
}

/// Sets the title of a page that is not called as in the list of pages: the first crumb is its heading, all of them are
/// the window's title.
pub fn page_title(crumbs: impl Fn() -> Vec<String> + 'static) {
    if let Some(page) = use_context::<PageInfo>() {
        Effect::new(move |_| page.title.set(crumbs()));
    }
}

/// Shows the children in the top bar for as long as this component is mounted.
#[component]
pub fn PageActions(children: ChildrenFn) -> impl IntoView {
    let page: PageInfo = expect_context();
    let id = page.next.get_value();
    page.next.set_value(id + 1);
    page.actions
        .update(|actions| actions.push((id, ViewFn::from(move || children()))));
    on_cleanup(move || {
        page.actions
            .update(|actions| actions.retain(|(known, _)| *known != id))
    });
}

/// The frame with the page inside. The welcome page and a browser without a session get it bare, without sidebar and
/// top bar.
#[component]
pub fn PageFrame() -> impl IntoView {
    let store = use_store();
    let page = PageInfo {
        title: RwSignal::new(Vec::new()),
        actions: RwSignal::new(Vec::new()),
        next: StoredValue::new(0),
    };
    provide_context(page);
    let overlays = Overlays {
        jobs: RwSignal::new(false),
        palette: RwSignal::new(false),
        shortcuts: RwSignal::new(false),
        drawer: RwSignal::new(false),
    };
    provide_context(overlays);
    focus::guard();
    let acting = Acting::provide();
    keys::listen(acting, overlays);
    let here = Memo::new({
        let location = use_location();
        move |_| location.pathname.with(|path| registry::locate(path))
    });
    let heading = NodeRef::<html::H1>::new();
    follow_place(here, heading, overlays);
    ready::mark_ready(store);
    let welcome = Memo::new(move |_| here.with(|place| is_welcome(place.as_ref())));
    let unnamed = welcome_first(welcome);
    let asking = Memo::new(move |_| acting.is_asking());
    let missing = Memo::new(move |_| store.session.get() == Session::Missing);
    Effect::new(move |_| {
        let title = if missing.get() {
            window_title(&[sign_in::TITLE.to_owned()])
        } else {
            page.title.with(|crumbs| window_title(crumbs))
        };
        document().set_title(&title);
    });
    let bare = move || welcome.get() || missing.get();
    view! {
        <a class="skip" href="#content" on:click=|event| { event.prevent_default(); crate::browser::focus("#content"); }>{copy::SKIP}</a>
        <div class="frame" class:bare=bare class:drawer-open=move || overlays.drawer.get()>
            <sidebar::Sidebar here/>
            <div class="scrim" aria-hidden="true" on:click=move |_| overlays.drawer.set(false)></div>
            <top_bar::TopBar heading/>
            <banner::Banner/>
            <main id="content" tabindex="-1">
                {move || missing.get().then(|| registry::parts::sign_in().view())}
                <div class="pages" hidden=move || missing.get() || unnamed.get() && !welcome.get()><Outlet here/></div>
            </main>
        </div>
        {move || overlays.palette.get().then(|| lazy_views::palette().view())}
        {move || overlays.shortcuts.get().then(|| lazy_views::shortcuts().view())}
        {move || asking.get().then(|| lazy_views::questions().view())}
        <Toasts/>
    }
}

/// Moves the focus to the heading of a page that was just opened, and closes the overlays of the one before.
fn follow_place(here: Memo<Option<Place>>, heading: NodeRef<html::H1>, overlays: Overlays) {
    Effect::new(move |before: Option<Option<Place>>| {
        let place = here.get();
        let same = |before: &Option<Place>| match (before, &place) {
            (Some(before), Some(place)) => place.is_page_of(before),
            (before, place) => before.is_none() && place.is_none(),
        };
        if before.is_some_and(|before| !same(&before)) {
            overlays.drawer.set(false);
            overlays.palette.set(false);
            overlays.jobs.set(false);
            if let Some(heading) = heading.get_untracked() {
                heading.focus().ok();
            }
        }
        place
    });
}

fn is_welcome(place: Option<&Place>) -> bool {
    place.is_some_and(|place| place.page.path == WELCOME)
}

/// Opens the welcome page for a fleet without a name. Answers whether the fleet has none.
fn welcome_first(welcome: Memo<bool>) -> Memo<bool> {
    let store = use_store();
    let navigate = use_navigate();
    let unnamed = Memo::new(move |_| {
        store
            .fleet
            .with(|fleet| fleet.as_ref().is_some_and(|fleet| fleet.name.is_none()))
    });
    Effect::new(move |_| {
        if unnamed.get() && !welcome.get_untracked() {
            let options = NavigateOptions {
                replace: true,
                ..Default::default()
            };
            navigate(WELCOME, options);
        }
    });
    unnamed
}

fn window_title(crumbs: &[String]) -> String {
    let crumbs = crumbs.iter().map(String::as_str).chain([copy::PRODUCT]);
    crumbs.collect::<Vec<_>>().join(" · ")
}
