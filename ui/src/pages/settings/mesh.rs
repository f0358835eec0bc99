//! The address range of the mesh, and the relays.

mod relays;

use crate::{
    api::send,
    components::{button::Button, field::Field, toast::use_toaster},
    copy::mesh as copy,
    store::use_store,
};
use flotilla_protocol::api::{UpdateFleet, Verb};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use relays::Relays;

#[component]
pub(super) fn Mesh() -> impl IntoView {
    view! {
        <section class="panel section" aria-labelledby="mesh">
            <h2 id="mesh">{copy::MESH}</h2>
            <Range/>
            <Relays/>
        </section>
    }
}

#[component]
fn Range() -> impl IntoView {
    let store = use_store();
    let toaster = use_toaster();
    let known = Memo::new(move |_| {
        store
            .fleet
            .with(|fleet| fleet.as_ref().map(|fleet| fleet.mesh_cidr.clone()))
    });
    let typed = RwSignal::new(None::<String>);
    let value = Signal::derive(move || typed.get().or_else(|| known.get()).unwrap_or_default());
    let refused = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let reason = store.reason(Verb::Manage);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refused.set(None);
        let request = UpdateFleet {
            mesh_cidr: Some(value.get_untracked().trim().to_owned()),
            ..UpdateFleet::default()
        };
        spawn_local(async move {
            match send(&request).await {
                Ok(fleet) => {
                    store.take_fleet(fleet);
                    typed.try_set(None);
                    toaster.confirm(copy::RANGE_CHANGED.to_owned());
                }
                Err(failure) => _ = refused.try_set(Some(failure.to_string())),
            }
            busy.try_set(false);
        });
    };
    let changed = move || typed.get().is_some_and(|typed| Some(typed) != known.get());
    view! {
        <form class="range" on:submit=submit novalidate>
            <Field label=copy::RANGE value hint=copy::RANGE_HINT verbatim=true error=refused
                on_input=move |text| typed.set(Some(text))/>
            {move || changed().then(|| view! { <div class="actions"><Button label=copy::CHANGE_RANGE submit=true busy reason/></div> })}
        </form>
    }
}
