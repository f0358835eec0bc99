//! Views whose code is fetched when they are first needed, so that the first page does not wait for the code of others.
//!
//! Each is a function that makes a view. Code that only one group of these functions needs is in a file of its own;
//! code that several groups need is in files that they share. Once the first page is shown, the other files are fetched
//! too, so that later pages open at once, also while the controller is out of reach.

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

/// A view whose code may not be fetched yet.
#[derive(Debug, Clone, Copy)]
pub struct LazyView {
    open: fn() -> Loading<AnyView>,
    fetch: fn() -> Loading<()>,
}

impl LazyView {
    /// The view. Its place stays empty until its code is fetched.
    pub fn view(self) -> impl IntoView {
        // `Suspend` asks for a `Send` future. In a browser there is one thread, so the wrapper never fails.
        Suspend::new(SendWrapper::new(self.choose()))
    }
}

impl ChooseView for LazyView {
    async fn choose(self) -> AnyView {
        (self.open)().await.unwrap_or_else(|_| failed())
    }

    async fn preload(&self) {
        // A failure is ignored here: opening the view tries again and shows it.
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

// Views that are likely to be opened one after the other share a file.
lazy_views! {
    overlays {
        palette: frame::Palette;
        shortcuts: frame::Shortcuts;
        jobs: frame::JobsPanel;
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

/// Fetches the code of every view that is not fetched yet, one after the other.
pub fn fetch_all() {
    spawn_local(async {
        for view in ALL {
            view().preload().await;
        }
    });
}
