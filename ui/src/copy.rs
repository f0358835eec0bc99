//! Every word that people read, by the place where they read it.

pub mod containers;
pub mod errors;
pub mod fan_out;
pub mod frame;
pub mod table;
pub mod add_device;
pub mod dashboard;
pub mod device;
pub mod welcome;
pub mod attention;
pub mod events;
