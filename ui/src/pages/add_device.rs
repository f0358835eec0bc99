//! Add Device: three steps from a name to a device that is online.
//!
//! A dialog over the list of devices, at `/devices/add`.

use leptos::prelude::*;

#[component]
pub fn AddDevice() -> impl IntoView {}
