//! Start-up.

use crate::{
    clock::Clock,
    components::{ids::Ids, toast::Toaster},
    data::entry,
    frame::PageFrame,
    history::History,
    live::Live,
    pending::Pending,
    prefs::Prefs,
    store::Store,
    zone::Zone,
};
use leptos::prelude::*;
use leptos_router::components::Router;

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    Pending::provide();
    Clock::provide();
    Ids::provide();
    Zone::provide(Prefs::provide().time_zone);
    Toaster::provide();
    let store = Store::provide();
    let live = Live::provide(store);
    History::provide(store);
    entry::enter(store, live);
    view! { <Router><PageFrame/></Router> }
}
