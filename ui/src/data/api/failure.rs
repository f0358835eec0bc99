//! Why a call has no answer, in words and with what a report about it needs.

use crate::copy::errors;
use flotilla_protocol::{Code, Problem, Timestamp};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The controller answered with a problem.
    #[error("{0}")]
    Refused(Problem),
    /// The controller did not answer.
    #[error("{}", errors::UNREACHABLE)]
    Unreachable,
    /// The controller did not answer within this many seconds.
    #[error("{}", errors::too_slow(*.0))]
    TooSlow(u64),
    /// The answer is not what a controller of this version sends.
    #[error("{}", errors::UNREADABLE)]
    Unreadable,
}

/// A call as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The id under which the controller's log has it.
    pub id: String,
    /// Its method and address.
    pub call: String,
    pub at: Timestamp,
}

/// A call that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    pub why: Why,
    pub sent: Option<Sent>,
}

impl Failure {
    /// A failure of nothing that was sent.
    #[must_use]
    pub fn of(why: Why) -> Self {
        Self { why, sent: None }
    }

    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.problem().map(|problem| problem.code)
    }

    /// The field of the request that the controller refused.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.problem()?.field.as_deref()
    }

    fn problem(&self) -> Option<&Problem> {
        match &self.why {
            Why::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// What a report about the failure needs, a fact per line.
    #[must_use]
    pub fn details(&self) -> String {
        let mut lines = vec![self.to_string()];
        lines.extend(self.code().map(|code| format!("Code: {code}")));
        if let Some(Sent { id, call, at }) = &self.sent {
            lines.extend([
                format!("Request: {id}"),
                format!("Call: {call}"),
                format!("Sent: {at}"),
            ]);
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_name_the_request_the_call_and_the_code() {
        let problem = Code::DeviceOffline.because("nas is offline.");
        let failure = Failure {
            why: Why::Refused(problem),
            sent: Some(Sent {
                id: "00c0ffee".into(),
                call: "GET /api/v1/containers".into(),
                at: Timestamp::UNIX_EPOCH,
            }),
        };
        assert_eq!(failure.to_string(), "nas is offline.");
        assert_eq!(
            failure.details(),
            "nas is offline.\nCode: device_offline\nRequest: 00c0ffee\nCall: GET /api/v1/containers\nSent: 1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn what_took_too_long_says_how_long_and_what_to_do() {
        let words = Failure::of(Why::TooSlow(30)).to_string();
        assert!(words.contains("30 s") && words.contains("Try again"), "{words}");
    }
}
