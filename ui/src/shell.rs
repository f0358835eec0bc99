//! The desktop window around this page, if there is one: what it can do, and the requests to it.

use crate::browser;
use flotilla_protocol::shell::{
    ABILITIES, ANSWER, CAN_INSTALL_SERVICE, CAN_SIGN_IN, INSTALL_SERVICE, SIGN_IN, ServiceOutcome,
};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// Whether the shell can install the agent as a service of the system.
#[must_use]
pub fn can_install_service() -> bool {
    can(CAN_INSTALL_SERVICE)
}

/// Whether this page is in the shell's window, which can open a session without a sign-in link.
#[must_use]
pub fn can_sign_in() -> bool {
    can(CAN_SIGN_IN)
}

fn can(ability: &str) -> bool {
    let abilities = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str(ABILITIES));
    abilities
        .ok()
        .and_then(|abilities| abilities.dyn_into::<js_sys::Array>().ok())
        .is_some_and(|abilities| abilities.includes(&JsValue::from_str(ability), 0))
}

/// Asks the shell to install the service; the operating system asks the person. [`on_outcome`] reports the outcome.
pub fn install_service() {
    browser::go(INSTALL_SERVICE);
}

/// Asks the shell for a session, which opens the page anew.
pub fn sign_in() {
    browser::go(SIGN_IN);
}

/// Calls back with the outcome of an installation, for as long as the component exists.
pub fn on_outcome(callback: impl Fn(ServiceOutcome) + 'static) {
    let handle = window_event_listener_untyped(ANSWER, move |event| {
        let detail = event
            .dyn_ref::<web_sys::CustomEvent>()
            .and_then(|event| event.detail().as_string());
        if let Some(outcome) = detail.and_then(|json| serde_json::from_str(&json).ok()) {
            callback(outcome);
        }
    });
    on_cleanup(move || handle.remove());
}
