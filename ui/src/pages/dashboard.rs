//! The fleet at a glance, trouble first.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn DashboardPage() -> impl IntoView {
    page_title(|| vec![copy::DASHBOARD.to_owned()]);
}
