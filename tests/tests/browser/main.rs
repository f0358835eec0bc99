//! The user interface in Chromium, with a running control, agents and engines; one file per subject.

mod actions;
mod add_device;
mod addresses;
mod first_minutes;
mod fleet;
mod focus;
mod frame;
mod jobs;
mod keyboard;
mod loading;
mod logs;
mod long_session;
mod mesh;
mod overlays;
mod pages;
mod pods;
mod sessions;
mod tables;
mod widths;
