//! Compose projects of the whole fleet.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn StacksPage() -> impl IntoView {
    page_title(|| vec![copy::STACKS.to_owned()]);
}
