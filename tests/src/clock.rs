//! The one place where this crate reads the clock.

use flotilla_protocol::Timestamp;

#[expect(
    clippy::disallowed_methods,
    reason = "the tests are the shell that hands time to the pure crates"
)]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}
