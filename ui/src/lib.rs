//! The user interface of Flotilla: one page, in the desktop window and in a browser.
//!
//! It talks to the controller that served it by HTTP and one WebSocket, and to the desktop window around it, if there
//! is one, by [`shell`]. What it shows of the fleet is in one [`store`], loaded by REST ([`api`]) and patched by the
//! live stream ([`live`]); all of that is in [`data`]. [`session`] has the caller and its permissions. Pages read the
//! store and act through the API. Components keep only the state of their own display, such as what is open or typed,
//! and send no requests. Filtering, sorting, patching and the wording of figures are plain functions that are tested on
//! the host.
//!
//! - [`app`]: start-up. [`registry`]: the list of pages, of which routes, navigation and keys are made. [`frame`]: what
//!   surrounds a page: top bar, sidebar, palette. [`pages`]: one module per page.
//! - [`actions`]: what people can do to what they see, one file per object.
//! - [`components`]: buttons, dialogs, fields, and the table that every list uses. [`tables`]: the columns of each list.
//! - [`urgency`]: the order by trouble. [`usage`]: how much of a device is in use. [`history`]: that over the last minutes.
//! - [`copy`]: texts that people read, by page. Words that belong to one component are in that component.

#![expect(
    unreachable_pub,
    reason = "the component macro makes public what it adds to private components"
)]

pub mod actions;
pub mod app;
pub mod browser;
pub mod clock;
pub mod components;
pub mod copy;
pub mod data;
pub mod format;
pub mod frame;
pub mod history;
pub mod lazy_views;
pub mod pages;
pub mod pending;
pub mod prefs;
pub mod query;
pub mod registry;
pub mod script;
pub mod session;
pub mod shell;
pub mod tables;
pub mod urgency;
pub mod usage;
pub mod zone;

pub use data::{api, live, store};

/// Mounts the application in the page's body.
pub fn start() {
    leptos::mount::mount_to_body(app::App);
}
