//! Parts of the program that are fetched when they are first needed, so that the first page waits for no other.
//!
//! A part is a function that makes a view. The bundle has a file for what only that function needs; what several parts
//! need is in files of their own. Once the first page is shown the other parts are fetched too: later pages open at
//! once, and still do when the controller is lost.

use crate::{components::error_state::ErrorState, copy::errors as copy, frame, pages};
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;
use send_wrapper::SendWrapper;
use std::pin::Pin;

type Loading<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

/// A view whose code may not be here yet.
#[derive(Debug, Clone, Copy)]
pub struct LazyView {
    open: fn() -> Loading<AnyView>,
    fetch: fn() -> Loading<()>,
}

impl LazyView {
    /// The view in its place, which stays empty until the code is here.
    pub fn view(self) -> impl IntoView {
        // There is one thread; that a view could move to another is only asked for on servers.
        Suspend::new(SendWrapper::new(self.choose()))
    }
}

impl ChooseView for LazyView {
    async fn choose(self) -> AnyView {
        (self.open)().await.unwrap_or_else(|_| failed())
    }

    async fn preload(&self) {
        // Opening the part will say so.
        (self.fetch)().await.ok();
    }
}

fn failed() -> AnyView {
    let reload = || drop(window().location().reload());
    view! { <ErrorState message=copy::PART_MISSING on_retry=reload/> }.into_any()
}

macro_rules! lazy_views {
    ($($file:ident { $($view:ident: $component:path;)* })*) => {
        $($(
            #[must_use]
            pub fn $view() -> LazyView {
                #[wasm_split($file, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch))]
                fn $view() -> Result<AnyView, SplitLoaderError> {
                    Ok($component().into_any())
                }
                LazyView { open: || Box::pin($view()), fetch: || Box::pin(fetch()) }
            }
        )*)*

        const ALL: &[fn() -> LazyView] = &[$($($view),*),*];
    };
}

// What is likely to be opened one after the other comes in one file.
lazy_views! {
    overlays {
        palette: frame::Palette;
        shortcuts: frame::Shortcuts;
        confirm_stop: pages::containers::ConfirmStop;
    }
    dashboard {
        dashboard: pages::dashboard::DashboardPage;
    }
    lists {
        devices: pages::devices::DevicesPage;
        containers: pages::containers::ContainersPage;
        stacks: pages::stacks::StacksPage;
        images: pages::images::ImagesPage;
        volumes: pages::volumes::VolumesPage;
        networks: pages::networks::NetworksPage;
        activity: pages::activity::ActivityPage;
    }
    device {
        device: pages::device::DevicePage;
    }
    mesh {
        mesh: pages::mesh::MeshPage;
    }
    add_device {
        add_device: pages::add_device::AddDevice;
    }
    rest {
        settings: pages::settings::SettingsPage;
        welcome: pages::welcome::WelcomePage;
    }
}

/// Fetches every part that is not here yet, one after the other.
pub fn fetch_all() {
    spawn_local(async {
        for view in ALL {
            view().preload().await;
        }
    });
}
