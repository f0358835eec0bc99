//! All devices, and the dialog that adds one.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn DevicesPage() -> impl IntoView {
    page_title(|| vec![copy::DEVICES.to_owned()]);
}
