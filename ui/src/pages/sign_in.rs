//! What a browser without a session sees.

use crate::{copy::frame as copy, frame::page_title};
use leptos::prelude::*;

#[component]
pub fn SignInPage() -> impl IntoView {
    page_title(|| vec![copy::PRODUCT.to_owned()]);
}
