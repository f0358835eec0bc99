//! Images of the whole fleet.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn ImagesPage() -> impl IntoView {
    page_title(|| vec![copy::IMAGES.to_owned()]);
}
