//! Volumes of the whole fleet.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn VolumesPage() -> impl IntoView {
    page_title(|| vec![copy::VOLUMES.to_owned()]);
}
