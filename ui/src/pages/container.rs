//! The page of a container, with its tabs.

mod header;
mod inspect;
mod logs;

use crate::{
    address,
    components::{
        badge::Tone, button::Button, empty::EmptyState, error_state::Notice, icon::lucide, loaded::Loaded,
        tabs::Tabs,
    },
    copy::{container as copy, frame, inventory_table},
    frame::{page_title, use_place},
    pages::inventory_table::rows::row_at,
    store::{ItemKey, Keyed, load_of, use_store},
    tables::on_device::ListedItem,
};
use flotilla_protocol::{api::Row, inventory::Container};
use header::Header;
use inspect::Inspect;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use logs::Logs;
use std::sync::Arc;

type ContainerRow = Signal<Arc<Row<Container>>>;

/// The device and the container in the address.
type At = (String, String);

#[component]
pub fn ContainerPage() -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    store.ensure_devices();
    let place = use_place();
    let at = Memo::new(move |_| {
        place.with(|place| {
            (
                place.param("device").to_owned(),
                place.param("container").to_owned(),
            )
        })
    });
    let found = Memo::new_with_compare(
        move |_| at.with(|(device, container)| row_at(store, store.containers, device, container)),
        |old, new| {
            let [old, new] = [old, new].map(|row| row.and_then(|row| row.as_ref().map(Arc::as_ptr)));
            old != new
        },
    );
    let kept = last_found(at, found);
    page_title(move || {
        let name = kept.with(|kept| kept.as_ref().map(|(_, row)| row.item.name.clone()));
        let name = name.unwrap_or_else(|| at.with(|(_, container)| container.clone()));
        vec![name, frame::CONTAINERS.to_owned()]
    });
    // A container that was created again under its name is another one, of which everything is shown anew.
    let key = Memo::new(move |_| kept.with(|kept| Some(kept.as_ref()?.1.key())));
    let content = move || match key.get().and(kept.get_untracked()) {
        Some((_, first)) => view! { <ContainerView first kept found/> }.into_any(),
        None => view! { <Absent/> }.into_any(),
    };
    view! {
        <div class="page device">
            <Loaded load=load_of(store.containers) bones=5 height="2rem" sentence=copy::LOADING on_retry=move || store.reload()>
                {content}
            </Loaded>
        </div>
    }
}

/// A container, and the address at which it was found.
type Found = (At, Arc<Row<Container>>);

type Kept = Memo<Option<Found>>;

/// The container at the address. One that is removed stays for as long as the address does.
fn last_found(at: Memo<At>, found: Memo<Option<Arc<Row<Container>>>>) -> Kept {
    Memo::new(move |last: Option<&Option<Found>>| {
        let at = at.get();
        match found.get() {
            Some(row) => Some((at, row)),
            None => last.cloned().flatten().filter(|(before, _)| *before == at),
        }
    })
}

#[component]
fn Absent() -> impl IntoView {
    let navigate = use_navigate();
    view! {
        <EmptyState glyph=lucide::BOX title=copy::NOT_FOUND.to_owned() text=copy::NOT_FOUND_TEXT.to_owned()>
            <Button label=copy::SEE_ALL on_press=move || navigate(Container::PAGE, Default::default())/>
        </EmptyState>
    }
}

#[component]
fn ContainerView(
    first: Arc<Row<Container>>,
    kept: Kept,
    found: Memo<Option<Arc<Row<Container>>>>,
) -> impl IntoView {
    let navigate = use_navigate();
    let key = first.key();
    let row = shown(first, key.clone(), kept);
    let place = use_place();
    let tab = Memo::new(move |_| place.with(|place| place.tab().to_owned()));
    let tabs = Signal::derive(move || place.with(|place| place.page.tabs()));
    let select = move |word: String| {
        let base = place.with_untracked(|place| {
            address::item(Container::PAGE, place.param("device"), place.param("container"))
        });
        navigate(&format!("{base}/{word}"), Default::default());
    };
    let panel = move || match tab.get().as_str() {
        "inspect" => view! { <Inspect row/> }.into_any(),
        _ => view! { <Logs row/> }.into_any(),
    };
    let is_gone = Memo::new(move |_| found.with(Option::is_none));
    let name = row.with_untracked(|row| row.item.name.clone());
    let gone = move || {
        is_gone
            .get()
            .then(|| view! { <Notice tone=Tone::Warn text=inventory_table::gone(&name)/> })
    };
    view! {
        <Header row/>
        {gone}
        <Tabs label=copy::SECTIONS tabs selected=tab on_select=select>{panel}</Tabs>
    }
}

/// The container with this key as it was last seen.
fn shown(first: Arc<Row<Container>>, key: ItemKey, kept: Kept) -> ContainerRow {
    let row = Memo::new(move |last: Option<&Arc<Row<Container>>>| {
        let own = kept.with(|kept| kept.as_ref().map(|(_, row)| row.clone()));
        let own = own.filter(|row| row.key() == key);
        own.or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    });
    row.into()
}
