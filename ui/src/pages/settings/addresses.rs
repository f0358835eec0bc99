//! Addresses at which devices reach the controller, and the controller's own test of them.

use crate::{
    api::{Failure, send},
    components::{
        badge::{Status, StatusBadge, Tone},
        button::Button,
        error_state::ErrorState,
        icon::lucide,
    },
    copy::settings as copy,
    store::use_store,
};
use flotilla_protocol::{
    api::{ReachableAt, TestAddresses},
    endpoint::Endpoint,
};
use leptos::{prelude::*, task::spawn_local};

type Tested = Option<Result<Vec<ReachableAt>, Failure>>;

#[component]
pub fn Addresses() -> impl IntoView {
    let store = use_store();
    let tested = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let test = move || {
        busy.set(true);
        spawn_local(async move {
            let answer = send(&TestAddresses).await;
            tested.try_set(Some(answer));
            busy.try_set(false);
        });
    };
    let endpoints = move || {
        store
            .fleet
            .with(|fleet| fleet.as_ref().map(|fleet| fleet.endpoints.clone()))
            .unwrap_or_default()
    };
    let outside = move || {
        store
            .fleet
            .with(|fleet| fleet.as_ref().is_some_and(|fleet| fleet.reachable_from_outside))
    };
    let failure = move || {
        tested.with(|tested: &Tested| match tested {
            Some(Err(failure)) => Some(failure.to_string()),
            _ => None,
        })
    };
    view! {
        <section class="panel section" aria-labelledby="addresses">
            <h2 id="addresses">{copy::ADDRESSES}</h2>
            <p class="muted">{copy::ADDRESSES_TEXT}</p>
            <ul class="addresses">
                {move || endpoints().into_iter().map(|endpoint| {
                    view! { <li><span class="mono">{endpoint.to_string()}</span>{outcome(tested, endpoint)}</li> }
                }).collect_view()}
            </ul>
            <p class="hint">{move || if outside() { copy::OUTSIDE } else { copy::NOT_OUTSIDE }}</p>
            <div class="actions">
                <Button label=copy::TEST glyph=lucide::RADAR busy on_press=test/>
            </div>
            {move || failure().map(|message| view! { <ErrorState message/> })}
        </section>
    }
}

/// What the test of an address said.
fn outcome(tested: RwSignal<Tested>, endpoint: Endpoint) -> impl IntoView {
    move || {
        let found = tested.with(|tested| {
            let answers = tested.as_ref()?.as_ref().ok()?;
            answers.iter().find(|answer| answer.endpoint == endpoint).cloned()
        })?;
        let (tone, glyph, word) = if found.reachable {
            (Tone::Ok, lucide::CIRCLE_CHECK, copy::REACHABLE)
        } else {
            (Tone::Bad, lucide::UNLINK, copy::NOT_REACHABLE)
        };
        let status = Status {
            tone,
            glyph,
            word: word.to_owned(),
        };
        Some(
            view! { <StatusBadge status/>{found.reason.map(|reason| view! { <p class="muted">{reason}</p> })} },
        )
    }
}
