//! The panel beside the map with the paths of a device.

use super::{RoundTrips, attempts::PathTest, explain::AccessQuestion};
use crate::{
    components::{
        badge::{Status, status_badge},
        button::Button,
        path_badge::PathFacts,
        sparkline::Sparkline,
    },
    copy::mesh as copy,
    store::{last_row, row, use_store},
    urgency,
};
use flotilla_protocol::{id::DeviceId, path::Path};
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn PathsPanel(device: DeviceId, question: AccessQuestion) -> impl IntoView {
    let store = use_store();
    let name = Memo::new(move |_| {
        store
            .devices
            .with(|devices| devices.rows().get(&device).map(|device| device.name.to_string()))
    });
    let name = move || name.get().unwrap_or_default();
    let paths = Memo::new(move |_| {
        let mut own: Vec<_> = store.paths.with(|paths| {
            paths
                .rows()
                .values()
                .filter(|path| path.from_id == device)
                .cloned()
                .collect()
        });
        own.sort_by_key(|path: &Arc<Path>| (urgency::of_path(path.kind), path.to.clone()));
        own
    });
    let pressed = RwSignal::new(None::<DeviceId>);
    // The worst path is shown until the person chooses one.
    let chosen = Memo::new(move |_| {
        let known = |id: &DeviceId| paths.with(|paths| paths.iter().any(|path| path.to_id == *id));
        pressed
            .get()
            .filter(known)
            .or_else(|| paths.with(|paths| paths.first().map(|path| path.to_id)))
    });
    let peer_button = move |path: &Arc<Path>| {
        let to = path.to_id;
        view! {
            <li>
                <button type="button" class="peer" aria-pressed=move || (chosen.get() == Some(to)).to_string()
                    on:click=move |_| pressed.set(Some(to))>
                    <span>{path.to.to_string()}</span>{status_badge(&Status::of_path(path.kind), false, false)}
                </button>
            </li>
        }
    };
    view! {
        <aside class="beside" aria-label=move || copy::paths_of(&name())>
            <h2>{name}</h2>
            <ul>{move || paths.with(|paths| paths.iter().map(peer_button).collect_view())}</ul>
            {move || match chosen.get() {
                Some(to) => view! { <PathDetails from=device to question/> }.into_any(),
                None => view! { <p class="muted">{copy::NO_PATHS_TEXT}</p> }.into_any(),
            }}
        </aside>
    }
}

#[component]
fn PathDetails(from: DeviceId, to: DeviceId, question: AccessQuestion) -> impl IntoView {
    let store = use_store();
    let first = row(store.paths, (from, to)).get_untracked();
    let trips: Option<RoundTrips> = use_context();
    first.map(|first| {
        let names = (first.from.to_string(), first.to.to_string());
        let title = copy::between(&names.0, &names.1);
        let path = last_row(store.paths, (from, to), first);
        view! {
            <section class="one-path">
                <h3>{title}</h3>
                <PathFacts path/>
                {move || path.with(|path| view! { <Sparkline values=trips.map(|trips| trips.of(path)).unwrap_or_default()/> })}
                <PathTest from to/>
                <Button label=copy::EXPLAIN on_press=move || question.ask_about(names.0.clone(), names.1.clone())/>
            </section>
        }
    })
}
