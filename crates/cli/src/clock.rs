//! The only place that reads the clock and the time zone.

use jiff::{Timestamp, tz::TimeZone};

#[expect(clippy::disallowed_methods, reason = "ages are told relative to now")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

pub(crate) fn zone() -> TimeZone {
    TimeZone::system()
}
