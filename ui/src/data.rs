//! What the page knows of the fleet, and how that is loaded and kept up to date.
//!
//! [`api`] sends calls; [`load`] says how far the answer to one has come, and [`known`] keeps a single answer. The
//! [`store`] has what pages share: collections, loaded by a call when a page first needs them and patched by the
//! [`live`] stream from then on. A [`stream`] of its own is what a page reads for as long as it is open. [`entry`] begins all of it.

pub mod api;
pub mod entry;
pub mod known;
pub mod live;
pub mod load;
pub mod store;
pub mod stream;
