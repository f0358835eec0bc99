//! The navigation, with links to all pages.

use crate::{
    components::icon::{Glyph, Icon, lucide},
    copy::frame as copy,
    format::count,
    store::use_store,
    urgency,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

struct NavItem {
    path: &'static str,
    name: &'static str,
    glyph: Glyph,
}

const TOP: [NavItem; 3] = [
    NavItem {
        path: "/",
        name: copy::DASHBOARD,
        glyph: lucide::LAYOUT_DASHBOARD,
    },
    NavItem {
        path: "/devices",
        name: copy::DEVICES,
        glyph: lucide::SERVER,
    },
    NavItem {
        path: "/mesh",
        name: copy::MESH,
        glyph: lucide::WAYPOINTS,
    },
];
const DOCKER: [NavItem; 5] = [
    NavItem {
        path: "/containers",
        name: copy::CONTAINERS,
        glyph: lucide::BOX,
    },
    NavItem {
        path: "/stacks",
        name: copy::STACKS,
        glyph: lucide::LAYERS,
    },
    NavItem {
        path: "/images",
        name: copy::IMAGES,
        glyph: lucide::IMAGE,
    },
    NavItem {
        path: "/volumes",
        name: copy::VOLUMES,
        glyph: lucide::HARD_DRIVE,
    },
    NavItem {
        path: "/networks",
        name: copy::NETWORKS,
        glyph: lucide::NETWORK,
    },
];
const SYSTEM: [NavItem; 2] = [
    NavItem {
        path: "/activity",
        name: copy::ACTIVITY,
        glyph: lucide::HISTORY,
    },
    NavItem {
        path: "/settings",
        name: copy::SETTINGS,
        glyph: lucide::SETTINGS,
    },
];

#[component]
pub fn Sidebar() -> impl IntoView {
    let store = use_store();
    let fleet = move || {
        let name = store
            .fleet
            .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.name.clone()));
        name.unwrap_or_else(|| copy::PRODUCT.to_owned())
    };
    view! {
        <nav class="sidebar" aria-label=copy::MAIN>
            <div class="fleet"><img src="/favicon.svg" alt=""/><span>{fleet}</span></div>
            <ul>{TOP.iter().map(link).collect_view()}</ul>
            <h2>{copy::GROUP_DOCKER}</h2>
            <ul>{DOCKER.iter().map(link).collect_view()}</ul>
            <h2>{copy::GROUP_SYSTEM}</h2>
            <ul>{SYSTEM.iter().map(link).collect_view()}</ul>
        </nav>
    }
}

fn link(item: &'static NavItem) -> impl IntoView {
    let location = use_location();
    let current = Memo::new(move |_| {
        location.pathname.with(|path| {
            let below = path
                .strip_prefix(item.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if item.path == "/" { path == "/" } else { below }
        })
    });
    // The count is hidden from screen readers, so that the accessible name of the link is its word.
    view! {
        <li>
            <a href=item.path title=item.name aria-current=move || current.get().then_some("page")>
                <Icon glyph=item.glyph/>
                <span class="label">{item.name}</span>
                {badge(item.path)}
            </a>
        </li>
    }
}

/// The number of devices, or of containers in trouble. It is hidden from screen readers; the pages say the same in
/// words.
fn badge(path: &str) -> Option<AnyView> {
    let store = use_store();
    match path {
        "/devices" => {
            let devices = Memo::new(move |_| store.devices.with(|devices| devices.rows().len()));
            let shown = move || (devices.get() > 0).then(|| count(devices.get()));
            Some(view! { <span class="count" aria-hidden="true">{shown}</span> }.into_any())
        }
        "/containers" => {
            let troubled = Memo::new(move |_| {
                store
                    .devices
                    .with(|devices| urgency::troubled(devices.rows().values().map(AsRef::as_ref)))
            });
            let shown = move || (troubled.get() > 0).then(|| count(troubled.get()));
            Some(view! { <span class="count bad" aria-hidden="true">{shown}</span> }.into_any())
        }
        _ => None,
    }
}
