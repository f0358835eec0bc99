//! An address that leads nowhere.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    page_title(|| vec![copy::NOT_FOUND.to_owned()]);
}
