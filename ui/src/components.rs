//! Stateless building blocks: properties in, callbacks out, nothing fetched.

pub mod icon;
pub mod table;
