//! Long forms of tests: the same steps, often or long enough to meet rare failures.

mod link;
mod rekey;
mod strangers;

pub use link::link;
pub use rekey::rekey;
pub use strangers::strangers;
