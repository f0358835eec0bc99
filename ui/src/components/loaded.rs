//! Content that has to be loaded: its placeholder, what to do when it can't be loaded, and then the content itself.

use super::{
    badge::Tone,
    error_state::{ErrorState, Notice},
    skeleton::Skeleton,
};
use crate::{
    clock::use_clock,
    copy::errors as copy,
    data::load::{Load, Reload},
    format,
};
use leptos::prelude::*;

/// Which of the three is shown. Only a change of this makes the content anew.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Waiting,
    Failed { message: String, details: String },
    Ready,
}

/// The children once the load is ready. They stay while it is loaded again; a notice above them says when that fails.
#[component]
pub fn Loaded(
    #[prop(into)] load: Signal<Load>,
    /// The bars of the placeholder.
    bones: usize,
    #[prop(optional, into)] height: Option<&'static str>,
    /// What is being loaded, for the placeholder.
    #[prop(into)]
    sentence: String,
    #[prop(into)] on_retry: Callback<()>,
    children: ChildrenFn,
) -> impl IntoView {
    let clock = use_clock();
    let stage = Memo::new(move |_| {
        load.with(|load| match load {
            Load::Absent | Load::Loading { .. } => Stage::Waiting,
            Load::Failed(failure) => Stage::Failed {
                message: failure.to_string(),
                details: failure.details(),
            },
            Load::Ready { .. } => Stage::Ready,
        })
    });
    let outdated = Memo::new(move |_| {
        load.with(|load| match load {
            Load::Ready {
                as_of,
                reload: Reload::Failed(failure),
            } => {
                let age = format::age(*as_of, clock.now_for(*as_of));
                Some(copy::outdated(&age, &failure.to_string()))
            }
            _ => None,
        })
    });
    let is_outdated = Memo::new(move |_| outdated.with(Option::is_some));
    let words = Signal::derive(move || outdated.get().unwrap_or_default());
    let retry = move || on_retry.run(());
    move || match stage.get() {
        Stage::Waiting => view! { <Skeleton bones height sentence=sentence.clone()/> }.into_any(),
        Stage::Failed { message, details } => {
            view! { <ErrorState message details on_retry=retry/> }.into_any()
        }
        Stage::Ready => view! {
            {move || is_outdated.get().then(|| view! { <Notice tone=Tone::Warn text=words/> })}
            {children()}
        }
        .into_any(),
    }
}
