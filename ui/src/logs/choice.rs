//! What of a log is asked for.

use flotilla_protocol::{
    Timestamp,
    log::{LogQuery, LogSource},
};

/// A person's choice. It is what the device sends; what the page shows of that is another matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChoice {
    /// How many lines before the end are looked at; all of them without.
    pub tail: Option<u32>,
    /// The seconds before now from which on lines are wanted.
    pub since: Option<i64>,
    pub source: Option<LogSource>,
    /// A regular expression, by which the device chooses lines; all of them when it is empty.
    pub grep: String,
}

impl LogChoice {
    /// The newest lines, and what follows.
    #[must_use]
    pub fn newest(tail: u32) -> Self {
        Self {
            tail: Some(tail),
            since: None,
            source: None,
            grep: String::new(),
        }
    }

    #[must_use]
    pub fn query(&self, now: Timestamp) -> LogQuery {
        let since = self
            .since
            .and_then(|seconds| Timestamp::from_second(now.as_second() - seconds).ok());
        LogQuery {
            follow: true,
            since,
            tail: self.tail,
            source: self.source,
            grep: Some(self.grep.clone()).filter(|grep| !grep.is_empty()),
            ..LogQuery::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_becomes_what_the_device_is_asked_for() {
        let now: Timestamp = "2026-01-02T03:00:00.5Z".parse().unwrap();
        let plain = LogChoice::newest(50).query(now);
        assert_eq!(
            (plain.follow, plain.tail, plain.since, plain.grep),
            (true, Some(50), None, None)
        );
        let choice = LogChoice {
            tail: None,
            since: Some(3600),
            source: Some(LogSource::Stderr),
            grep: "a|b".to_owned(),
        };
        let query = choice.query(now);
        assert_eq!(query.since.unwrap().to_string(), "2026-01-02T02:00:00Z");
        assert_eq!(
            (query.tail, query.source, query.grep.as_deref()),
            (None, Some(LogSource::Stderr), Some("a|b"))
        );
    }
}
