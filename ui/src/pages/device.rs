//! One device.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn DevicePage() -> impl IntoView {
    page_title(|| vec![copy::DEVICES.to_owned()]);
}
