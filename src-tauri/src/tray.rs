//! The tray icon: the fleet's state in a line, and items that open the window, install the system service, or quit.

use crate::{shell::Shell, window};
use flotilla_control::Summary;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
};
use tauri::{
    AppHandle,
    menu::{Menu, MenuItem, PredefinedMenuItem},
    tray::TrayIconBuilder,
};

const STATUS: &str = "status";
const OPEN: &str = "open";
const SERVICE: &str = "service";
const QUIT: &str = "quit";

/// The tray's items that change.
pub(crate) struct Tray {
    status: MenuItem<tauri::Wry>,
    service: MenuItem<tauri::Wry>,
    /// The text of the status line, since most frames of the live stream do not change it.
    shown_text: Mutex<String>,
}

impl std::fmt::Debug for Tray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tray").finish_non_exhaustive()
    }
}

impl Tray {
    /// Builds the tray; `None` where it could not be seen: then closing the window must end the program.
    pub(crate) fn build(app: &AppHandle) -> Option<Self> {
        if !shows_tray_icons() {
            tracing::warn!("this desktop shows no tray icons; closing the window quits Flotilla");
            return None;
        }
        // The library behind the icon is loaded on first use and panics where it is not installed.
        match catch_unwind(AssertUnwindSafe(|| build(app))) {
            Ok(Ok((status, service))) => Some(Self {
                status,
                service,
                shown_text: Mutex::default(),
            }),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the tray icon can't be shown; closing the window quits Flotilla");
                None
            }
            Err(_) => {
                tracing::warn!("the tray icon's library is missing; closing the window quits Flotilla");
                None
            }
        }
    }

    /// Enables the item that installs the system service, when that is of use.
    pub(crate) fn offer_service(&self, helps: bool) {
        if let Err(error) = self.service.set_enabled(helps) {
            tracing::warn!(%error, "the tray can't be updated");
        }
    }

    pub(crate) fn show(&self, summary: &Summary) {
        let text = sentence(summary);
        let Ok(mut shown_text) = self.shown_text.lock() else {
            return;
        };
        if *shown_text != text {
            if let Err(error) = self.status.set_text(&text) {
                tracing::warn!(%error, "the tray can't be updated");
            }
            *shown_text = text;
        }
    }
}

/// Builds the tray; returns the items that change.
fn build(app: &AppHandle) -> tauri::Result<(MenuItem<tauri::Wry>, MenuItem<tauri::Wry>)> {
    let status = MenuItem::with_id(app, STATUS, "Starting…", false, None::<&str>)?;
    let open = MenuItem::with_id(app, OPEN, "Open Flotilla", true, None::<&str>)?;
    let service = MenuItem::with_id(app, SERVICE, "Install the system service", false, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(app, &[&status, &line, &open, &service, &quit])?;
    let mut tray = TrayIconBuilder::with_id("flotilla")
        .tooltip("Flotilla")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            OPEN => window::show(app),
            SERVICE => Shell::install_service(app),
            QUIT => app.exit(0),
            _ => {}
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok((status, service))
}

/// The status line: `3 of 4 online`, and how many devices need attention.
fn sentence(summary: &Summary) -> String {
    let online = match summary.devices {
        0 => return "No devices yet".to_owned(),
        devices => format!("{} of {devices} online", summary.online),
    };
    match summary.attention {
        0 => online,
        1 => format!("{online}, 1 needs attention"),
        more => format!("{online}, {more} need attention"),
    }
}

/// Whether this desktop shows tray icons.
#[cfg(target_os = "linux")]
fn shows_tray_icons() -> bool {
    use zbus::{
        blocking::{Connection, Proxy, proxy::Builder},
        proxy::CacheProperties,
    };
    let registered = || -> zbus::Result<bool> {
        let watcher = Builder::<Proxy>::new(&Connection::session()?)
            .destination("org.kde.StatusNotifierWatcher")?
            .path("/StatusNotifierWatcher")?
            .interface("org.kde.StatusNotifierWatcher")?
            .cache_properties(CacheProperties::No)
            .build()?;
        watcher.get_property("IsStatusNotifierHostRegistered")
    };
    registered().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn shows_tray_icons() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_devices_and_names_trouble() {
        let summary = |devices, online, attention| Summary {
            name: None,
            devices,
            online,
            attention,
        };
        assert_eq!(sentence(&summary(0, 0, 0)), "No devices yet");
        assert_eq!(sentence(&summary(4, 3, 0)), "3 of 4 online");
        assert_eq!(sentence(&summary(4, 3, 1)), "3 of 4 online, 1 needs attention");
        assert_eq!(sentence(&summary(4, 3, 2)), "3 of 4 online, 2 need attention");
    }
}
