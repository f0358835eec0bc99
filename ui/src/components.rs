//! Building blocks of pages: properties in, callbacks out. They keep only the state of their own display (open, typed,
//! focused, scrolled), and send no requests.

pub mod age;
pub mod anchor;
pub mod badge;
pub mod button;
pub mod chart;
pub mod clipboard_block;
pub mod closing;
pub mod combobox;
pub mod confirm;
pub mod dialog;
pub mod drawer;
pub mod empty;
pub mod error_state;
pub mod facts;
pub mod field;
pub mod focus;
pub mod icon;
pub mod ids;
pub mod listbox;
pub mod loaded;
pub mod menu;
pub mod meter;
pub mod mode_card;
mod outside_press;
pub mod path_badge;
pub mod popover;
pub mod radio;
pub mod select;
pub mod skeleton;
pub mod sparkline;
pub mod stepper;
pub mod table;
pub mod tabs;
pub mod taginput;
pub mod toast;
pub mod waiting;
