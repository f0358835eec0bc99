//! What can be set.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn SettingsPage() -> impl IntoView {
    page_title(|| vec![copy::SETTINGS.to_owned()]);
}
