//! The page of the address.

use super::PageInfo;
use crate::{
    components::skeleton::Skeleton,
    copy::frame as copy,
    pages::not_found::NotFoundPage,
    registry::{Page, Place},
};
use leptos::prelude::*;
use leptos_router::{
    hooks::use_url,
    location::{BrowserUrl, LocationProvider},
};

#[derive(Debug, Clone, Copy)]
struct PlaceOfPage(Memo<Place>);

/// Where one is on this page. It is never a place of another page, also while this one is being left.
#[must_use]
pub fn use_place() -> Memo<Place> {
    expect_context::<PlaceOfPage>().0
}

/// Shows the page of the address from the moment at which the address changes; its code may arrive later.
#[component]
pub(super) fn Outlet(here: Memo<Option<Place>>) -> impl IntoView {
    let info: PageInfo = expect_context();
    complete_links();
    let page = Memo::new(move |_| here.with(|place| place.as_ref().map(|place| place.page)));
    move || match page.get() {
        None => view! { <NotFoundPage/> }.into_any(),
        Some(page) => {
            provide_context(PlaceOfPage(place_of(page, here)));
            info.title.set(vec![page.title.to_owned()]);
            let waiting = move || {
                view! { <div class="page"><Skeleton bones=6 sentence=copy::opening(page.title)/></div> }
            };
            (page.part)().view_after(ViewFn::from(waiting)).into_any()
        }
    }
}

fn place_of(page: &'static Page, here: Memo<Option<Place>>) -> Memo<Place> {
    Memo::new(move |last: Option<&Place>| {
        let place = here.get().filter(|place| place.page == page);
        place.or_else(|| last.cloned()).unwrap_or_else(|| Place::of(page))
    })
}

/// Tells the router that the page of a clicked link is shown, which it waits for before it changes the address.
fn complete_links() {
    let url = use_url();
    let router: BrowserUrl = expect_context();
    Effect::new(move |_| {
        url.track();
        router.ready_to_complete();
    });
}
