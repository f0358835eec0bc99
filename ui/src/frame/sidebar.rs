//! The navigation, with links to all pages.

use crate::{
    components::icon::Icon,
    copy::frame as copy,
    format::count,
    registry::{self, Badge, Nav, NavGroup, Page, Place},
    store::use_store,
    urgency,
};
use leptos::prelude::*;

#[component]
pub fn Sidebar(here: Memo<Option<Place>>) -> impl IntoView {
    let store = use_store();
    let fleet = move || {
        let name = store
            .fleet
            .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.name.clone()));
        name.unwrap_or_else(|| copy::PRODUCT.to_owned())
    };
    let links = move |group| {
        let of_group = registry::nav().filter(|(_, nav)| nav.group == group);
        let links = of_group.map(|(page, nav)| link(page, nav, here)).collect_view();
        view! { <ul>{links}</ul> }
    };
    view! {
        <nav class="sidebar" aria-label=copy::MAIN>
            <div class="fleet"><img src="/favicon.svg" alt=""/><span>{fleet}</span></div>
            {links(NavGroup::Fleet)}
            <h2>{copy::GROUP_DOCKER}</h2>
            {links(NavGroup::Docker)}
            <h2>{copy::GROUP_SYSTEM}</h2>
            {links(NavGroup::System)}
        </nav>
    }
}

fn link(page: &'static Page, nav: &'static Nav, here: Memo<Option<Place>>) -> impl IntoView {
    let current =
        Memo::new(move |_| here.with(|place| place.as_ref().is_some_and(|place| is_below(place, page))));
    view! {
        <li>
            <a href=page.path title=page.title aria-current=move || current.get().then_some("page")>
                <Icon glyph=nav.glyph/>
                <span class="label">{page.title}</span>
                {nav.badge.map(badge)}
            </a>
        </li>
    }
}

/// Whether a place belongs to a page of the navigation: it is that page, or the page of one of its objects.
fn is_below(place: &Place, page: &Page) -> bool {
    let rest = place.page.path.strip_prefix(page.path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The figure beside a link. It is hidden from screen readers, so that the accessible name of the link is its word; the
/// pages say the same in words.
fn badge(badge: Badge) -> AnyView {
    let store = use_store();
    let figure = Memo::new(move |_| {
        store.devices.with(|devices| {
            let devices = devices.rows();
            match badge {
                Badge::Devices => devices.len(),
                Badge::TroubledContainers => urgency::troubled(devices.values().map(AsRef::as_ref)),
            }
        })
    });
    let shown = move || (figure.get() > 0).then(|| count(figure.get()));
    let bad = badge == Badge::TroubledContainers;
    view! { <span class="count" class:bad=bad aria-hidden="true">{shown}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_one_device_belongs_to_devices_and_not_to_the_dashboard() {
        let marked = |address: &str| -> Vec<&str> {
            let place = registry::locate(address).unwrap();
            let pages = registry::nav().map(|(page, _)| page);
            pages
                .filter(|page| is_below(&place, page))
                .map(|page| page.path)
                .collect()
        };
        assert_eq!(marked("/"), ["/"]);
        assert_eq!(marked("/devices/nas/trust"), ["/devices"]);
        assert_eq!(marked("/welcome"), [""; 0]);
    }
}
