//! The one place where this crate reads the clock.

use flotilla_protocol::Timestamp;

/// The time by the device's clock, which is also its engine's: right or wrong, both agree.
#[expect(
    clippy::disallowed_methods,
    reason = "following an engine takes place at some moment, and this is the shell around what is pure"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
