//! The user interface of Flotilla: one page, in the desktop window and in a browser.
//!
//! It sends calls to the controller that served it ([`api`]) and hears of changes on one WebSocket ([`live`]). What it
//! knows of the fleet is in one [`store`]: pages read it, and act through calls. [`data`] is the room of these three.
//! [`session`] says who the caller is and what it may do; [`shell`] asks the desktop window, where there is one.
//!
//! Components send no requests and keep only the state of their own display, such as what is open or typed. Filtering,
//! sorting, patching and the wording of figures are plain functions, which are tested on the host.
//!
//! - [`app`]: start-up. [`registry`]: the list of pages, of which routes, navigation and keys are made. [`frame`]: what
//!   surrounds a page: top bar, sidebar, palette. [`pages`]: one module per page.
//! - [`actions`]: what people can do to what they see, one file per object.
//! - [`components`]: buttons, dialogs, fields, and the table of every list. [`tables`]: the columns of each list.
//! - [`logs`]: logs of containers, read and put together for what shows them.
//! - [`query`]: the filter language. [`address`]: addresses of pages, items and filtered rows.
//! - [`urgency`]: the order by trouble. [`usage`]: how much of a device is in use. [`history`]: the same over minutes.
//! - [`copy`]: texts that people read, by page. Words that belong to one component are in that component.

#![expect(
    unreachable_pub,
    reason = "the component macro makes public what it adds to private components"
)]

pub mod actions;
pub mod address;
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
pub mod logs;
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
