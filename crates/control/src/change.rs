//! The one writer: every change of the fleet, by subject.
//!
//! A change takes the write lock, is decided on what is known, and is written to the store and to the cache.

pub(crate) mod devices;
pub(crate) mod fleet;
pub(crate) mod policy;
pub(crate) mod relays;
