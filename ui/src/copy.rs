//! Every word that people read, by the place where they read it.

pub mod errors;
pub mod frame;
