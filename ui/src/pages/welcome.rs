//! The first visit: a name for the fleet and its starting policy.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn WelcomePage() -> impl IntoView {
    page_title(|| vec![copy::WELCOME.to_owned()]);
}
