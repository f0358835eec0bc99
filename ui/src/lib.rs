//! The user interface of Flotilla: one page, in the desktop window and in a browser.
//!
//! It speaks HTTP and one WebSocket to the controller that served it, and knows of nothing else. What it shows lives in
//! one [`store`], loaded by REST ([`api`]) and kept true by the live stream ([`live`]). Pages read the store and act
//! through the API; components are stateless. Everything that decides (filtering, sorting, patching, wording of figures)
//! is a plain function that is tested on the host.
//!
//! - [`app`]: routes and start-up. [`frame`]: what surrounds a page. [`pages`]: one module per page.
//! - [`components`]: buttons, dialogs, fields, and the table that every list uses.
//! - [`urgency`]: what stands first. [`usage`]: how much of a device is in use.
//! - [`copy`]: every word that people read.

#![expect(
    unreachable_pub,
    reason = "the component macro makes public what it adds to private components"
)]

pub mod api;
pub mod app;
pub mod browser;
pub mod clock;
pub mod components;
pub mod copy;
pub mod format;
pub mod frame;
pub mod lazy_views;
pub mod live;
pub mod pages;
pub mod prefs;
pub mod query;
pub mod session;
pub mod shell;
pub mod store;
pub mod urgency;
pub mod usage;
pub mod wire;

/// Mounts the application in the page's body.
pub fn start() {
    leptos::mount::mount_to_body(app::App);
}
