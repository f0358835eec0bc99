//! Networks of the whole fleet.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn NetworksPage() -> impl IntoView {
    page_title(|| vec![copy::NETWORKS.to_owned()]);
}
