//! Views whose code is fetched when they are first needed, so that the first page does not wait for the code of others.
//!
//! Each is a function that makes a view. Code that only one group of these functions needs is in a file of its own;
//! code that several groups need is in files that they share. Once the first page is shown, the other files are fetched
//! too, so that later pages open at once, also while the controller is out of reach.
//!
//! A view belongs to the place that asked for it. Code that arrives after that place is gone opens nothing, so the page
//! of the newest address is the one that is shown.

use crate::{
    actions, components::error_state::ErrorState, copy::errors as copy, frame, pages, pending::use_pending,
};
use leptos::{
    prelude::*,
    task::{spawn_local, spawn_local_scoped_with_cancellation},
    wasm_split::{SplitLoaderError, wasm_split},
};
use std::pin::Pin;

type Loading<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

/// A view whose code may not be fetched yet.
#[derive(Debug, Clone, Copy)]
pub struct LazyView {
    pub(crate) open: fn() -> Loading<AnyView>,
    pub(crate) fetch: fn() -> Loading<()>,
}

impl LazyView {
    /// The view. Its place stays empty until its code is fetched.
    pub fn view(self) -> impl IntoView {
        self.view_after(ViewFn::default())
    }

    /// The view, and `waiting` until its code is fetched. The page is not complete before.
    pub fn view_after(self, waiting: ViewFn) -> impl IntoView {
        let hold = use_pending().hold();
        let opened = StoredValue::new_local(None::<AnyView>);
        let arrived = RwSignal::new(false);
        // Untracked: what the view reads while it is made must not make the effect around this place run again.
        untrack(|| {
            spawn_local_scoped_with_cancellation(async move {
                let view = (self.open)().await.unwrap_or_else(|_| failed());
                opened.set_value(Some(view));
                arrived.set(true);
                drop(hold);
            });
        });
        move || {
            let view = arrived
                .get()
                .then(|| opened.try_update_value(Option::take).flatten());
            view.flatten().unwrap_or_else(|| waiting.run())
        }
    }

    async fn preload(self) {
        // A failure is ignored here: opening the view tries again and shows it.
        (self.fetch)().await.ok();
    }
}

fn failed() -> AnyView {
    let reload = || drop(window().location().reload());
    view! { <ErrorState message=copy::PART_MISSING on_retry=reload/> }.into_any()
}

/// Functions that make views, by the file of the bundle with their code; views that are likely to be opened one after
/// the other share a file. `ALL` lists the functions.
macro_rules! lazy_views {
    ($($file:ident { $($view:ident: $component:path;)* })*) => {
        $($(
            #[must_use]
            pub fn $view() -> $crate::lazy_views::LazyView {
                #[wasm_split($file, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch))]
                fn $view() -> Result<AnyView, SplitLoaderError> {
                    Ok($component().into_any())
                }
                $crate::lazy_views::LazyView { open: || Box::pin($view()), fetch: || Box::pin(fetch()) }
            }
        )*)*

        pub const ALL: &[fn() -> $crate::lazy_views::LazyView] = &[$($($view),*),*];
    };
}
pub(crate) use lazy_views;

// Pages are in the registry.
lazy_views! {
    overlays {
        palette: frame::Palette;
        shortcuts: frame::Shortcuts;
        jobs: frame::JobsPanel;
        questions: actions::Questions;
    }
    device_dialogs {
        device_dialog: actions::devices::dialogs::OpenDeviceDialog;
    }
    add_device {
        add_device: pages::add_device::AddDevice;
    }
}

/// Fetches the code of every view that is not fetched yet, one after the other.
pub fn fetch_all(pages: &'static [fn() -> LazyView]) {
    spawn_local(async move {
        for view in pages.iter().chain(ALL) {
            view().preload().await;
        }
    });
}
