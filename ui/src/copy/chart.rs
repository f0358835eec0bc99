//! Texts of charts.

pub const TIME: &str = "Time";
pub const SHOW_TABLE: &str = "Show as table";
pub const HIDE_TABLE: &str = "Hide the table";
pub const NO_FIGURE: &str = "no figure";

/// "CPU of nas, last 5 min: now 38 %, peak 81 %".
#[must_use]
pub fn summary(figure: &str, of: &str, span: &str, now: &str, peak: &str) -> String {
    format!("{figure} of {of}, last {span}: now {now}, peak {peak}")
}

/// "14:02:10, 38 %".
#[must_use]
pub fn at(time: &str, value: &str) -> String {
    format!("{time}, {value}")
}

/// "CPU now 38 %".
#[must_use]
pub fn now(figure: &str, value: &str) -> String {
    format!("{figure} now {value}")
}

/// "CPU of nas".
#[must_use]
pub fn figures(figure: &str, of: &str) -> String {
    format!("{figure} of {of}")
}
