//! The user interface in a real browser, before a real control with real devices, one file per subject.

mod add_device;
mod addresses;
mod first_minutes;
mod fleet;
mod keyboard;
mod mesh;
mod pods;
mod sessions;
