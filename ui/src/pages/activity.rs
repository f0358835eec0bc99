//! Who did what, newest first.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn ActivityPage() -> impl IntoView {
    page_title(|| vec![copy::ACTIVITY.to_owned()]);
}
