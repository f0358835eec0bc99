//! The settings: appearance, addresses, mesh, sessions, keyboard; and facts about this installation.

mod addresses;
mod mesh;
mod sessions;

use crate::{
    components::radio::{RadioGroup, RadioOption},
    copy::settings as copy,
    prefs::{Density, Theme, use_prefs},
    store::use_store,
    zone::TimeZone,
};
use addresses::Addresses;
use leptos::prelude::*;
use mesh::Mesh;
use sessions::Sessions;

#[component]
pub fn SettingsPage() -> impl IntoView {
    view! {
        <div class="page settings">
            <Appearance/>
            <Addresses/>
            <Mesh/>
            <Sessions/>
            <Keyboard/>
            <About/>
        </div>
    }
}

fn options(words: &[(&str, &str, &str)]) -> Vec<RadioOption> {
    let option = |(value, title, text): &(&str, &str, &str)| RadioOption {
        value: (*value).to_owned(),
        title: (*title).to_owned(),
        text: (*text).to_owned(),
    };
    words.iter().map(option).collect()
}

#[component]
fn Appearance() -> impl IntoView {
    let prefs = use_prefs();
    let theme = move |(word,): (String,)| {
        if let Some(theme) = Theme::from_word(&word) {
            prefs.theme.set(theme);
        }
    };
    let zone = move |(word,): (String,)| {
        if let Some(zone) = TimeZone::from_word(&word) {
            prefs.time_zone.set(zone);
        }
    };
    let density = move |(word,): (String,)| {
        if let Some(density) = Density::from_word(&word) {
            prefs.density.set(density);
        }
    };
    view! {
        <section class="panel section" aria-labelledby="appearance">
            <h2 id="appearance">{copy::APPEARANCE}</h2>
            <RadioGroup label=copy::THEME options=options(copy::THEMES) on_change=Callback::new(theme)
                value=Signal::derive(move || prefs.theme.get().as_str().to_owned())/>
            <RadioGroup label=copy::DENSITY options=options(copy::DENSITIES) on_change=Callback::new(density)
                value=Signal::derive(move || prefs.density.get().as_str().to_owned())/>
            <RadioGroup label=copy::TIME_ZONE options=options(copy::TIME_ZONES) on_change=Callback::new(zone)
                value=Signal::derive(move || prefs.time_zone.get().as_str().to_owned())/>
            <Toggle label=copy::REDUCE_MOTION hint=copy::REDUCE_MOTION_HINT value=prefs.reduce_motion/>
        </section>
    }
}

#[component]
fn Keyboard() -> impl IntoView {
    let prefs = use_prefs();
    view! {
        <section class="panel section" aria-labelledby="keyboard">
            <h2 id="keyboard">{copy::KEYBOARD}</h2>
            <Toggle label=copy::SINGLE_KEYS hint=copy::SINGLE_KEYS_HINT value=prefs.single_keys/>
        </section>
    }
}

#[component]
fn Toggle(label: &'static str, hint: &'static str, value: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="toggle">
            <input type="checkbox" prop:checked=move || value.get() on:change=move |_| value.update(|value| *value = !*value)/>
            <span><span class="title">{label}</span><span class="hint">{hint}</span></span>
        </label>
    }
}

#[component]
fn About() -> impl IntoView {
    let store = use_store();
    let fact = move |name: &'static str, read: fn(&flotilla_protocol::api::Fleet) -> String| {
        view! { <div><dt>{name}</dt><dd>{move || store.fleet.with(|fleet| fleet.as_ref().map(read))}</dd></div> }
    };
    view! {
        <section class="panel section" aria-labelledby="about">
            <h2 id="about">{copy::ABOUT}</h2>
            <dl class="facts">
                {fact(copy::FLEET, |fleet| fleet.name.clone().unwrap_or_default())}
                {fact(copy::VERSION, |fleet| fleet.version.clone())}
                {fact(copy::CA_PIN, |fleet| fleet.ca_pin.to_string())}
                {fact(copy::TLS_PIN, |fleet| fleet.tls_pin.to_string())}
            </dl>
        </section>
    }
}
