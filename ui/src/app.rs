//! Start-up and routes.

use crate::{
    clock::Clock,
    components::{ids::Ids, toast::Toaster},
    frame::Frame,
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
    pages::containers::Acts::provide();
    session::open(store, live);
    crate::frame::mark_ready(store);
    view! {
        <Router>
            <Frame>
                <Routes fallback=pages::not_found::NotFoundPage>
                    <Route path=path!("/") view=pages::dashboard::DashboardPage/>
                    <Route path=path!("/welcome") view=pages::welcome::WelcomePage/>
                    // One page below both addresses: the list stays as it is while the dialog is over it.
                    <ParentRoute path=path!("/devices") view=pages::devices::DevicesPage>
                        <Route path=path!("") view=|| ()/>
                        <Route path=path!("add") view=|| ()/>
                    </ParentRoute>
                    <Route path=path!("/devices/:device/*tab") view=pages::device::DevicePage/>
                    <Route path=path!("/mesh/*tab") view=pages::mesh::MeshPage/>
                    <Route path=path!("/containers/*open") view=pages::containers::ContainersPage/>
                    <Route path=path!("/stacks/*open") view=pages::stacks::StacksPage/>
                    <Route path=path!("/images/*open") view=pages::images::ImagesPage/>
                    <Route path=path!("/volumes/*open") view=pages::volumes::VolumesPage/>
                    <Route path=path!("/networks/*open") view=pages::networks::NetworksPage/>
                    <Route path=path!("/activity") view=pages::activity::ActivityPage/>
                    <Route path=path!("/settings/*section") view=pages::settings::SettingsPage/>
                </Routes>
            </Frame>
        </Router>
    }
}
