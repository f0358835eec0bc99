//! The page for an unknown address.

use crate::{
    components::{
        button::{Button, ButtonKind},
        empty::EmptyState,
        icon::lucide,
    },
    copy::frame as copy,
    frame::page_title,
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    page_title(|| vec![copy::NOT_FOUND.to_owned()]);
    let navigate = use_navigate();
    view! {
        <EmptyState glyph=lucide::CIRCLE_QUESTION_MARK title=copy::NOT_FOUND_TITLE text=copy::NOT_FOUND_TEXT>
            <Button label=copy::TO_DASHBOARD kind=ButtonKind::Primary on_press=move || navigate("/", Default::default())/>
        </EmptyState>
    }
}
