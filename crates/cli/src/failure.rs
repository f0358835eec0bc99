//! How a command fails, and its exit code.
//!
//! 0 done; 1 failed; 2 usage; 3 not allowed; 4 not found; 5 control unreachable.

use crate::out::Lines;
use flotilla_client::Error;
use flotilla_control::StartError;
use flotilla_protocol::{Code, Problem};
use std::process::ExitCode;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Call(#[from] Error),
    #[error(transparent)]
    Start(#[from] StartError),
    /// The text that `--as` asked for does not exist for this device.
    #[error("{reason}")]
    NoSuchForm { reason: String },
    #[error("{file} can't be read: {source}. Check the name of the file.")]
    Unreadable { file: String, source: std::io::Error },
    /// The document is not a policy.
    #[error("{file} is not a policy, so nothing was changed: {reason}")]
    Document { file: String, reason: String },
    #[error("{} tests of the policy fail", .messages.len())]
    PolicyTests { messages: Vec<String> },
    /// The activity log is not as it was written.
    #[error("{reason}")]
    Log { reason: String },
    /// An answer can't be printed.
    #[error("Standard output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

impl Failure {
    /// The failure as a person reads it.
    pub(crate) fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        match self {
            Self::PolicyTests { messages } => {
                messages
                    .iter()
                    .for_each(|message| lines.push(&format!("{message}.")));
            }
            other => lines.push(&other.to_string()),
        }
        lines
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.status().into()
    }

    fn status(&self) -> u8 {
        match self {
            Self::Call(error) if error.is_unreachable() => 5,
            Self::Call(Error::UnknownToken { .. }) => 3,
            Self::Call(Error::Environment { .. }) | Self::Document { .. } => 2,
            Self::Call(Error::Problem(Problem { code, .. })) => match code {
                Code::InvalidInput => 2,
                Code::Unauthenticated | Code::Forbidden | Code::ForeignOrigin => 3,
                Code::NotFound | Code::ContainerNotFound => 4,
                _ => 1,
            },
            Self::Call(_)
            | Self::Start(_)
            | Self::NoSuchForm { .. }
            | Self::Unreadable { .. }
            | Self::PolicyTests { .. }
            | Self::Log { .. }
            | Self::Output(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_said_can_not_pass_for_another_line_of_ours() {
        let said = "port 80 is taken\u{1b}[2K\r\nflotilla: done \u{9d}0;title\u{7}\u{202e}";
        let failure = Failure::Call(Code::EngineRefused.because(said).into());
        insta::assert_snapshot!(failure.lines(), @r"port 80 is taken\u{1b}[2K\r\nflotilla: done \u{9d}0;title\u{7}\u{202e}");
        let failing = Failure::PolicyTests {
            messages: vec!["a must reach b".into(), "c must not reach d".into()],
        };
        assert_eq!(
            failing.lines().to_string(),
            "a must reach b.\nc must not reach d.\n"
        );
    }

    #[test]
    fn each_kind_of_failure_has_its_status() {
        let problem = |code: Code| Failure::Call(code.because("why").into());
        let statuses = [
            (problem(Code::Conflict), 1),
            (problem(Code::DeviceOffline), 1),
            (problem(Code::InvalidInput), 2),
            (problem(Code::Forbidden), 3),
            (problem(Code::Unauthenticated), 3),
            (problem(Code::NotFound), 4),
            (problem(Code::ContainerNotFound), 4),
            (
                Failure::Call(Error::NotRunning {
                    path: "api.json".into(),
                }),
                5,
            ),
            (
                Failure::Call(Error::Ended {
                    path: "api.json".into(),
                }),
                5,
            ),
            (
                Failure::Call(Error::Unproven {
                    address: "127.0.0.1:7440".into(),
                }),
                5,
            ),
        ];
        for (failure, status) in statuses {
            assert_eq!(failure.status(), status, "{failure:?}");
        }
    }
}
