//! The engine room against an engine that we can break at will.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod acting;
mod ailing;
mod exchange;
mod fake;
mod following;
mod pods;
mod reading;
mod refusals;
mod removal;
mod watching;
