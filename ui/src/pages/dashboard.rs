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
    components::{
        button::{Button, ButtonKind},
        empty::EmptyState,
        error_state::ErrorState,
        icon::lucide,
        skeleton::Skeleton,
    },
    copy::dashboard as copy,
    frame::PageActions,
    store::{Load, use_store},
};
use attention::NeedsAttention;
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_navigate};
use recent::RecentActivity;
use summary::Summary;
use tiles::Tiles;

/// What the page shows.
#[derive(Debug, Clone, PartialEq)]
enum PageContent {
    Loading,
    Failed(String),
    Empty,
    Full,
}

#[component]
pub fn DashboardPage() -> impl IntoView {
    let store = use_store();
    store.ensure_devices();
    let page_content = Memo::new(move |_| {
        store.devices.with(|devices| match devices.load() {
            _ if devices.is_filled() && devices.rows().is_empty() => PageContent::Empty,
            _ if devices.is_filled() => PageContent::Full,
            Load::Failed(failure) => PageContent::Failed(failure.to_string()),
            Load::Absent | Load::Loading | Load::Ready => PageContent::Loading,
        })
    });
    let content = move || match page_content.get() {
        PageContent::Loading => view! { <Skeleton bones=6 height="3rem" sentence=copy::LOADING/> }.into_any(),
        PageContent::Failed(message) => {
            view! { <ErrorState message on_retry=move || store.reload()/> }.into_any()
        }
        PageContent::Empty => view! { <NoDevices/> }.into_any(),
        PageContent::Full => view! { <FleetOverview/> }.into_any(),
    };
    view! { <div class="page dashboard">{content}</div> }
}

#[component]
fn NoDevices() -> impl IntoView {
    view! {
        <EmptyState glyph=lucide::SERVER title=copy::NO_DEVICES.to_owned() text=copy::NO_DEVICES_TEXT.to_owned()>
            <AddDeviceButton/>
        </EmptyState>
    }
}

#[component]
fn FleetOverview() -> impl IntoView {
    view! {
        <PageActions><AddDeviceButton/></PageActions>
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

#[component]
fn AddDeviceButton() -> impl IntoView {
    let navigate = use_navigate();
    let add = move || navigate("/devices/add", Default::default());
    view! { <Button label=copy::ADD_DEVICE kind=ButtonKind::Primary glyph=lucide::PLUS on_press=add/> }
}
