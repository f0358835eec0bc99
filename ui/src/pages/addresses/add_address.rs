//! The field that adds an address.

use super::set_added;
use crate::{
    api::Failure,
    components::{
        button::{Button, ButtonKind},
        closing::Closing,
        field::Field,
        focus::focus_when_shown,
        icon::lucide,
    },
    copy::addresses as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{api::Verb, endpoint::Endpoint};
use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};

/// A button that opens a field for a new address. It may be inside a form of the page.
#[component]
pub fn AddAddress(
    /// Runs after an address was added.
    #[prop(optional, into)]
    on_added: Option<Callback<()>>,
) -> impl IntoView {
    let reason = use_store().reason(Verb::Manage);
    let open = RwSignal::new(false);
    // The button takes the focus only after the field was closed, not when the page opens.
    let was_open = StoredValue::new(false);
    let button = move || {
        let button = NodeRef::<html::Button>::new();
        if was_open.get_value() {
            focus_when_shown(button);
        }
        let show = move || {
            was_open.set_value(true);
            open.set(true);
        };
        view! { <Button label=copy::ADD glyph=lucide::PLUS reason node_ref=button on_press=show/> }
    };
    move || {
        if open.get() {
            view! { <NewAddress open on_added/> }.into_any()
        } else {
            button().into_any()
        }
    }
}

#[component]
fn NewAddress(open: RwSignal<bool>, on_added: Option<Callback<()>>) -> impl IntoView {
    let store = use_store();
    let typed = RwSignal::new(String::new());
    let refused = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let save = move || {
        if busy.get_untracked() {
            return;
        }
        let endpoint = match typed.with_untracked(|typed| parse_new(typed, store)) {
            Ok(endpoint) => endpoint,
            Err(why) => return refused.set(Some(why)),
        };
        busy.set(true);
        spawn_local(async move {
            let outcome = add(store, endpoint).await;
            // `try_set`, since the live stream may have delivered the new address already, and this component may be
            // unmounted.
            busy.try_set(false);
            match outcome {
                Ok(()) => {
                    open.try_set(false);
                    on_added.and_then(|on_added| on_added.try_run(()));
                }
                Err(failure) => _ = refused.try_set(Some(failure.to_string())),
            }
        });
    };
    let edited = Signal::derive(move || typed.with(|typed| !typed.trim().is_empty()));
    let closing = Closing::new(edited, Callback::new(move |()| open.set(false)));
    let keys = move |event: KeyboardEvent| match event.key().as_str() {
        // Enter in the field adds the address and does not submit a form around it.
        "Enter" if is_field(&event) => {
            event.prevent_default();
            save();
        }
        _ => closing.on_key(&event),
    };
    view! {
        <div class="new-address" role="group" aria-label=copy::ADD on:keydown=keys>
            <Field label=copy::NEW value=typed hint=copy::NEW_HINT verbatim=true error=refused node_ref=field
                on_input=move |text| { refused.set(None); typed.set(text) }/>
            <div class="actions">
                <Button label=copy::SAVE kind=ButtonKind::Secondary busy on_press=save/>
                <Button label=copy::CANCEL kind=ButtonKind::Quiet on_press=move || open.set(false)/>
            </div>
            {closing.question()}
        </div>
    }
}

fn is_field(event: &KeyboardEvent) -> bool {
    use wasm_bindgen::JsCast;
    event
        .target()
        .is_some_and(|target| target.has_type::<web_sys::HtmlInputElement>())
}

/// The typed address, unless it is invalid or known already.
fn parse_new(typed: &str, store: Store) -> Result<Endpoint, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(copy::MISSING.to_owned());
    }
    let endpoint: Endpoint = typed.parse().map_err(|invalid| format!("{invalid}"))?;
    let known = store.fleet.with_untracked(|fleet| {
        fleet
            .as_ref()
            .is_some_and(|fleet| fleet.endpoints.contains(&endpoint))
    });
    if known {
        return Err(copy::known_already(&endpoint.to_string()));
    }
    Ok(endpoint)
}

async fn add(store: Store, endpoint: Endpoint) -> Result<(), Failure> {
    let added = store.fleet.with_untracked(|fleet| {
        fleet
            .as_ref()
            .map(|fleet| fleet.added_endpoints.clone())
            .unwrap_or_default()
    });
    set_added(store, added.into_iter().chain([endpoint]).collect()).await
}
