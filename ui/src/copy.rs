//! Every word that people read, by the place where they read it.

pub mod containers;
pub mod errors;
pub mod fan_out;
pub mod frame;
pub mod table;
