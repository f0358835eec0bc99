//! Start-up and routes.

use crate::{
    clock::Clock,
    components::{ids::Ids, toast::Toaster},
    frame::PageFrame,
    lazy_views,
    live::Live,
    pages,
    prefs::Prefs,
    session,
    store::Store,
};
use leptos::prelude::*;
use leptos_router::{
    components::{ParentRoute, Route, Router, Routes},
    path,
};

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    Clock::provide();
    Ids::provide();
    Prefs::provide();
    Toaster::provide();
    let store = Store::provide();
    let live = Live::provide(store);
    pages::containers::ContainerActions::provide();
    session::open(store, live);
    view! {
        <Router>
            <PageFrame>
                <Routes fallback=pages::not_found::NotFoundPage>
                    <Route path=path!("/") view=lazy_views::dashboard()/>
                    <Route path=path!("/welcome") view=lazy_views::welcome()/>
                    // Both addresses show the same page, so that the list keeps its state while the dialog is open over
                    // it.
                    <ParentRoute path=path!("/devices") view=lazy_views::devices()>
                        <Route path=path!("") view=|| ()/>
                        <Route path=path!("add") view=|| ()/>
                    </ParentRoute>
                    <Route path=path!("/devices/:device/*tab") view=lazy_views::device()/>
                    <Route path=path!("/mesh/*tab") view=lazy_views::mesh()/>
                    <Route path=path!("/containers/*open") view=lazy_views::containers()/>
                    <Route path=path!("/stacks/*open") view=lazy_views::stacks()/>
                    <Route path=path!("/images/*open") view=lazy_views::images()/>
                    <Route path=path!("/volumes/*open") view=lazy_views::volumes()/>
                    <Route path=path!("/networks/*open") view=lazy_views::networks()/>
                    <Route path=path!("/activity") view=lazy_views::activity()/>
                    <Route path=path!("/settings/*section") view=lazy_views::settings()/>
                </Routes>
            </PageFrame>
        </Router>
    }
}
