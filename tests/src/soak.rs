//! The long runs: what the tests do a few times, done often or long enough to meet what is rare.

mod link;
mod rekey;
mod strangers;

pub use link::link;
pub use rekey::rekey;
pub use strangers::strangers;
