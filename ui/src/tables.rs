//! The tables whose rows are shown in more than one place, one file per kind of row: its columns and what is computed
//! once per row. The table of a kind that only one page shows is in the file of that page.
//!
//! A column is one entry in the `columns` of its table. It says how a row is shown in it, sorted and found by it, and
//! when it gives way on a narrow screen. No other code refers to it. The compiler refuses a table whose columns do not fit
//! together.

pub mod containers;
pub mod devices;
pub mod on_device;
pub mod paths;
