//! Start-up and routes.

use crate::{
    clock::Clock,
    components::{ids::Ids, toast::Toaster},
    frame::Frame,
    live::Live,
    pages, parts,
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
    pages::containers::Acts::provide();
    session::open(store, live);
    crate::frame::mark_ready(store);
    view! {
        <Router>
            <Frame>
                <Routes fallback=pages::not_found::NotFoundPage>
                    <Route path=path!("/") view=parts::dashboard()/>
                    <Route path=path!("/welcome") view=parts::welcome()/>
                    // One page below both addresses: the list stays as it is while the dialog is over it.
                    <ParentRoute path=path!("/devices") view=parts::devices()>
                        <Route path=path!("") view=|| ()/>
                        <Route path=path!("add") view=|| ()/>
                    </ParentRoute>
                    <Route path=path!("/devices/:device/*tab") view=parts::device()/>
                    <Route path=path!("/mesh/*tab") view=parts::mesh()/>
                    <Route path=path!("/containers/*open") view=parts::containers()/>
                    <Route path=path!("/stacks/*open") view=parts::stacks()/>
                    <Route path=path!("/images/*open") view=parts::images()/>
                    <Route path=path!("/volumes/*open") view=parts::volumes()/>
                    <Route path=path!("/networks/*open") view=parts::networks()/>
                    <Route path=path!("/activity") view=parts::activity()/>
                    <Route path=path!("/settings/*section") view=parts::settings()/>
                </Routes>
            </Frame>
        </Router>
    }
}
