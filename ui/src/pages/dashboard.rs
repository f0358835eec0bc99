//! The dashboard: the fleet at a glance, trouble first.

mod attention;
pub(crate) mod recent;
mod summary;
mod sums;
#[cfg(test)]
pub(crate) mod tests;
mod tiles;
mod trouble;

use crate::{
    actions::fleet::ADD_DEVICE,
    components::{empty::EmptyState, icon::lucide, loaded::Loaded},
    copy::dashboard as copy,
    frame::PageActions,
    store::{load_of, use_store},
};
use attention::NeedsAttention;
use leptos::prelude::*;
use leptos_router::components::A;
use recent::RecentActivity;
use summary::Summary;
use tiles::Tiles;

#[component]
pub fn DashboardPage() -> impl IntoView {
    let store = use_store();
    store.ensure_devices();
    let is_empty = Memo::new(move |_| store.devices.with(|devices| devices.rows().is_empty()));
    view! {
        <div class="page dashboard">
            <Loaded load=load_of(store.devices) bones=6 height="3rem" sentence=copy::LOADING on_retry=move || store.reload()>
                {move || if is_empty.get() { view! { <NoDevices/> }.into_any() } else { view! { <FleetOverview/> }.into_any() }}
            </Loaded>
        </div>
    }
}

#[component]
fn NoDevices() -> impl IntoView {
    view! {
        <EmptyState glyph=lucide::SERVER title=copy::NO_DEVICES.to_owned() text=copy::NO_DEVICES_TEXT.to_owned()>
            {ADD_DEVICE.button()}
        </EmptyState>
    }
}

#[component]
fn FleetOverview() -> impl IntoView {
    view! {
        <PageActions>{ADD_DEVICE.button()}</PageActions>
        <Summary/>
        <div class="dashboard-columns">
            <div class="dashboard-main">
                <NeedsAttention/>
                <section aria-labelledby="dashboard-devices">
                    <div class="section-head">
                        <h2 id="dashboard-devices">{copy::DEVICES}</h2>
                        <A href="/devices" attr:class="button quiet">{copy::SEE_ALL}</A>
                    </div>
                    <Tiles/>
                </section>
            </div>
            <RecentActivity/>
        </div>
    }
}
