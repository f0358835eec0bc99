//! Ages in one or two words, and moments in the reader's time zone.

use jiff::{Timestamp, tz::TimeZone};

/// How long ago something was: `now`, `12 s ago`, `4 h ago`, `3 d ago`. A future moment counts as now.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    if seconds < 5 {
        "now".to_owned()
    } else {
        format!("{} ago", span(seconds))
    }
}

/// How long until something: `in 59 min`. A past moment counts as now.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second() - now.as_second();
    if seconds <= 0 {
        "now".to_owned()
    } else {
        format!("in {}", span(seconds))
    }
}

/// A length of time in its largest whole unit.
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `2026-01-02 14:02`.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    format!(
        "{}-{:02}-{:02} {:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (age, text) in [
            (-10, "now"),
            (4, "now"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (4 * 3600 + 1, "4 h ago"),
            (86_400 * 30, "30 d ago"),
        ] {
            assert_eq!(ago(at(1_000_000_000 - age), at(1_000_000_000)), text);
        }
        assert_eq!(until(at(3599), at(0)), "in 59 min");
        assert_eq!(until(at(0), at(9)), "now");
    }

    #[test]
    fn a_moment_is_told_on_the_readers_clock() {
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(moment(at, &TimeZone::UTC), "2026-01-02 03:04");
    }
}
