//! A retry loop logs each kind of failure once in a row, however often it fails.

use flotilla_link::DialError;

/// The kind of failure that was last complained about.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Option<&'static str>);

impl Complaint {
    /// Whether a failure is of another kind than the one before it.
    pub(crate) fn is_new(&mut self, class: &'static str) -> bool {
        self.0.replace(class) != Some(class)
    }

    /// Notes a success: the next failure is news, whatever its kind.
    pub(crate) fn settle(&mut self) {
        self.0 = None;
    }
}

/// The kind of a failed dial.
pub(crate) fn class(error: &DialError) -> &'static str {
    match error {
        DialError::NoEndpoint => "no endpoint",
        DialError::Untrusted { .. } => "untrusted",
        DialError::Refused { problem, .. } => problem.code.as_str(),
        DialError::NotUnderstood { .. } => "not understood",
        DialError::Unreachable { .. } => "unreachable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_news_until_it_is_known_or_settled() {
        let mut complaint = Complaint::default();
        let news: Vec<_> = ["refused", "refused", "untrusted", "refused"]
            .map(|class| complaint.is_new(class))
            .into();
        assert_eq!(news, [true, false, true, true]);
        complaint.settle();
        assert!(complaint.is_new("refused"));
    }
}
