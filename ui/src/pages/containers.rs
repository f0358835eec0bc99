//! Containers of the whole fleet.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn ContainersPage() -> impl IntoView {
    page_title(|| vec![copy::CONTAINERS.to_owned()]);
}
