//! Measured figures. JSON has no word for infinity: serde_json reads `1e300` into an `f32` as infinite, writes that as
//! `null`, and cannot read the `null` back. So a figure is finite from the moment it is read.

use serde::{Deserialize, Deserializer};

/// Reads a figure; 0 for `null` and for what no `f32` can hold.
pub(crate) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    finite_if_any(deserializer).map(Option::unwrap_or_default)
}

/// Reads a figure that may be missing; `None` also for what no `f32` can hold.
pub(crate) fn finite_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    let figure = Option::<f32>::deserialize(deserializer)?;
    Ok(figure.filter(|figure| figure.is_finite()))
}

#[cfg(test)]
mod tests {
    use crate::{device::Usage, path::PathAttempt};

    #[test]
    fn a_figure_that_was_read_can_be_written_and_read_again() {
        for (written, read) in [("1.5", 1.5), ("1e300", 0.0), ("-1e39", 0.0), ("null", 0.0)] {
            let text = format!(r#"{{"cpu_cores":{written},"memory_bytes":1,"disk_bytes":2}}"#);
            let usage: Usage = serde_json::from_str(&text).unwrap();
            assert_eq!(usage.cpu_cores, read, "{written}");
            let again = serde_json::to_string(&usage).unwrap();
            assert_eq!(serde_json::from_str::<Usage>(&again).unwrap(), usage);
        }
    }

    #[test]
    fn a_round_trip_that_no_clock_measured_is_none() {
        let attempt = |rest: &str| {
            let text = format!(r#"{{"target":"Relay controller"{rest}}}"#);
            serde_json::from_str::<PathAttempt>(&text).unwrap().rtt_ms
        };
        assert_eq!(attempt(r#","rtt_ms":1e39"#), None);
        assert_eq!(attempt(r#","rtt_ms":2.5"#), Some(2.5));
        assert_eq!(attempt(""), None);
    }
}
