//! Figures as people read them: sizes, ages, shares, ports, counts.

use crate::zone;
use flotilla_protocol::Timestamp;

/// Memory, in binary units: `1.1 GiB`.
#[must_use]
pub fn memory(bytes: u64) -> String {
    scaled(bytes, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB"])
}

/// Disks and images, in decimal units as Docker prints them: `4.2 GB`.
#[must_use]
pub fn disk(bytes: u64) -> String {
    scaled(bytes, 1000.0, ["B", "kB", "MB", "GB", "TB"])
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn scaled(bytes: u64, base: f64, units: [&str; 5]) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit < units.len() - 1 {
        value /= base;
        unit += 1;
    }
    // A value that would be rounded up to 1 of the next unit is written in that unit.
    if unit > 0 && value >= base - 0.5 && unit < units.len() - 1 {
        value /= base;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 9.95);
    format!("{value:.digits$} {}", units[unit])
}

/// The mark in place of an unknown figure.
pub const NOTHING: &str = "–";

/// A share in whole percent: `38 %`; [`NOTHING`] where the whole is 0.
#[must_use]
pub fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 {
        format!("{} %", share(part, whole))
    } else {
        NOTHING.to_owned()
    }
}

/// A share in whole percent, 0 to 100; 0 where the whole is 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100"
)]
pub fn share(part: f64, whole: f64) -> u8 {
    if whole > 0.0 {
        (part / whole * 100.0).round().clamp(0.0, 100.0) as u8
    } else {
        0
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long ago, in one unit: `just now`, `12 s ago`, `4 h ago`; a date from 7 days on.
#[must_use]
pub fn age(moment: Timestamp, now: Timestamp) -> String {
    recent(moment, now).unwrap_or_else(|| date(moment))
}

/// The age of what is less than 7 days old.
fn recent(moment: Timestamp, now: Timestamp) -> Option<String> {
    match now.as_second() - moment.as_second() {
        ..5 => Some("just now".to_owned()),
        seconds if seconds < 7 * DAY => Some(format!("{} ago", span(seconds))),
        _ => None,
    }
}

/// A length of time in its largest unit: `12 s`, `22 min`, `4 h`, `3 d`.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        ..MINUTE => format!("{} s", seconds.max(0)),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        DAY.. => format!("{} d", seconds / DAY),
    }
}

/// Time left as a clock shows it: `59:42`, `23:59:42`.
#[must_use]
pub fn countdown(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, rest) = (seconds / HOUR, seconds % HOUR / MINUTE, seconds % MINUTE);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

/// The day of a moment in the person's time zone: `2026-01-31`.
#[must_use]
pub fn date(moment: Timestamp) -> String {
    zone::tell(moment).chars().take(10).collect()
}

/// A moment to the second in the person's time zone: `2026-01-31 14:02:09`.
#[must_use]
pub fn moment(moment: Timestamp) -> String {
    zone::tell(moment)
}

/// The time of day in the person's time zone: `14:02`, after the day where that is not the day of `now`.
#[must_use]
pub fn clock_time(moment: Timestamp, now: Timestamp) -> String {
    beside(&zone::tell(moment), &zone::tell(now))
}

/// The time of a moment beside another one, both as `2026-01-31 14:02:09`.
fn beside(moment: &str, now: &str) -> String {
    let (day, time) = moment.split_once(' ').unwrap_or((moment, ""));
    let (today, _) = now.split_once(' ').unwrap_or((now, ""));
    let number = |day: &str| Some(format!("{day}T00:00:00Z").parse::<Timestamp>().ok()?.as_second() / DAY);
    let time = time.get(..5).unwrap_or(time);
    match number(day).zip(number(today)).map(|(day, today)| day - today) {
        Some(0) => time.to_owned(),
        Some(1) => format!("tomorrow {time}"),
        Some(-1) => format!("yesterday {time}"),
        _ => format!("{day} {time}"),
    }
}

/// A count with its digits in groups of three: `2,340`.
#[must_use]
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 device`, `4 devices`.
#[must_use]
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// At most this many ports are listed in a row of a table; the others are a count.
pub const PORTS_SHOWN: usize = 3;

/// The first ports and ranges of ports, and how many more there are.
#[must_use]
pub fn ports(ports: &[String]) -> (String, usize) {
    let shown = &ports[..ports.len().min(PORTS_SHOWN)];
    (shown.join(", "), ports.len() - shown.len())
}

/// The first 12 digits of an id without its `sha256:`, as Docker prints ids.
#[must_use]
pub fn short_id(id: &str) -> &str {
    let digest = id.strip_prefix("sha256:").unwrap_or(id);
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_two_digits_that_count() {
        let gib = 1u64 << 30;
        assert_eq!(memory(gib * 11 / 10), "1.1 GiB");
        assert_eq!(memory(16 * gib), "16 GiB");
        assert_eq!(memory(gib - 1), "1.0 GiB");
        assert_eq!(disk(4_200_000_000), "4.2 GB");
        assert_eq!(disk(999_999), "1.0 MB");
        assert_eq!(disk(0), "0 B");
    }

    #[test]
    fn ages_have_one_unit_and_become_dates_after_a_week() {
        let moment: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let words: Vec<_> = [-9, 0, 12, 90, 4 * HOUR, 6 * DAY, 8 * DAY]
            .map(|seconds| {
                recent(
                    moment,
                    Timestamp::from_second(moment.as_second() + seconds).unwrap(),
                )
            })
            .into();
        let words: Vec<_> = words.iter().map(Option::as_deref).collect();
        assert_eq!(
            words,
            [
                Some("just now"),
                Some("just now"),
                Some("12 s ago"),
                Some("1 min ago"),
                Some("4 h ago"),
                Some("6 d ago"),
                None
            ]
        );
    }

    #[test]
    fn a_time_of_another_day_says_which() {
        let now = "2026-03-01 00:10:00";
        let words = [
            "2026-03-01 14:02:09",
            "2026-02-28 23:59:00",
            "2026-03-02 01:00:00",
            "2026-01-31 14:02:09",
        ]
        .map(|moment| beside(moment, now));
        assert_eq!(
            words,
            ["14:02", "yesterday 23:59", "tomorrow 01:00", "2026-01-31 14:02"]
        );
    }

    #[test]
    fn three_ports_stand_and_the_rest_is_a_count() {
        let many: Vec<_> = (0..200).map(|n| (8000 + 2 * n).to_string()).collect();
        assert_eq!(ports(&many), ("8000, 8002, 8004".to_owned(), 197));
        assert_eq!(ports(&["20000-20999".to_owned()]), ("20000-20999".to_owned(), 0));
        assert_eq!(ports(&[]), (String::new(), 0));
    }

    #[test]
    fn counts_and_countdowns_group_their_digits() {
        assert_eq!(count(2_340), "2,340");
        assert_eq!(counted(1, "device", "devices"), "1 device");
        assert_eq!(
            (countdown(3_582), countdown(86_399), countdown(-5)),
            ("59:42".into(), "23:59:59".into(), "0:00".into())
        );
    }

    proptest! {
        #[test]
        fn no_size_is_wider_than_a_column(bytes: u64) {
            prop_assert!(memory(bytes).len() <= 12 && disk(bytes).len() <= 12, "{} {}", memory(bytes), disk(bytes));
        }

        #[test]
        fn a_share_is_a_percentage(part in 0.0..1e12f64, whole in 0.0..1e12f64) {
            prop_assert!(share(part, whole) <= 100);
        }
    }
}
