//! The progress of an enrollment as sentences.

use crate::copy::add_device as copy;
use flotilla_protocol::{
    Code, Timestamp,
    api::{Enrollment, EnrollmentFailure, EnrollmentState, Stage},
};

/// The state of a command, which decides what the last step shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandState {
    Waiting,
    Expired,
    /// Another command replaced this one.
    Withdrawn,
    Online,
}

/// The stages of an enrollment in their order.
pub(super) const STAGES: [Stage; 4] = [
    Stage::Reached,
    Stage::IdentityChecked,
    Stage::CertificateIssued,
    Stage::Online,
];

/// The state of the command that expires at `expires`. An enrollment with another expiry is that of an earlier command
/// and is ignored.
#[must_use]
pub(super) fn command_state(
    enrollment: Option<&Enrollment>,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> CommandState {
    let current = enrollment.filter(|enrollment| {
        expires.is_none_or(|expires| expires.as_second() == enrollment.expires.as_second())
    });
    let expires = expires.or(current.map(|enrollment| enrollment.expires));
    let is_over = expires.is_some_and(|expires| expires <= now);
    match current.map(|enrollment| enrollment.state) {
        _ if current.is_some_and(|enrollment| is_reached(enrollment, Stage::Online)) => CommandState::Online,
        Some(EnrollmentState::Expired) => CommandState::Expired,
        Some(EnrollmentState::Withdrawn) => CommandState::Withdrawn,
        Some(EnrollmentState::Waiting | EnrollmentState::Unknown) | None if is_over => CommandState::Expired,
        Some(EnrollmentState::Waiting | EnrollmentState::Done | EnrollmentState::Unknown) | None => {
            CommandState::Waiting
        }
    }
}

#[must_use]
pub(super) fn is_reached(enrollment: &Enrollment, stage: Stage) -> bool {
    enrollment.stages.iter().any(|reached| reached.stage == stage)
}

/// The sentence for the newest stage.
#[must_use]
pub(super) fn headline(enrollment: Option<&Enrollment>, device: &str) -> String {
    let newest =
        enrollment.and_then(|enrollment| enrollment.stages.iter().max_by_key(|reached| reached.stage));
    newest.map_or_else(
        || copy::WAITING.to_owned(),
        |newest| copy::reached(newest.stage, device, newest.from.as_deref()),
    )
}

/// A line of the list of stages; `at` is absent while the stage is not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StageLine {
    pub text: String,
    pub at: Option<Timestamp>,
}

#[must_use]
pub(super) fn stage_lines(enrollment: Option<&Enrollment>, device: &str) -> Vec<StageLine> {
    let line = |stage: Stage| {
        let reached =
            enrollment.and_then(|enrollment| enrollment.stages.iter().find(|reached| reached.stage == stage));
        let text = |from: &Option<String>| copy::reached(stage, device, from.as_deref());
        reached.map_or_else(
            || StageLine {
                text: copy::upcoming(stage),
                at: None,
            },
            |reached| StageLine {
                text: text(&reached.from),
                at: Some(reached.at),
            },
        )
    };
    STAGES.into_iter().map(line).collect()
}

/// The sentence about a refused attempt to enroll.
#[must_use]
pub(super) fn failure_text(failure: &EnrollmentFailure) -> String {
    match failure.code {
        Code::TokenUnknown | Code::CsrInvalid => copy::identity_failed(&failure.from),
        _ => failure.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::api::StageReached;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn enrollment(state: EnrollmentState, stages: &[Stage]) -> Enrollment {
        let reached = |stage: &Stage| StageReached {
            stage: *stage,
            at: at(5),
            from: Some("192.0.2.7".into()),
        };
        Enrollment {
            device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            state,
            created: at(0),
            expires: at(100),
            stages: stages.iter().map(reached).collect(),
            failure: None,
        }
    }

    #[test]
    fn a_command_waits_until_it_expires() {
        let current = enrollment(EnrollmentState::Waiting, &[]);
        assert_eq!(
            command_state(Some(&current), Some(at(100)), at(99)),
            CommandState::Waiting
        );
        assert_eq!(
            command_state(Some(&current), Some(at(100)), at(100)),
            CommandState::Expired
        );
        assert_eq!(command_state(None, Some(at(100)), at(99)), CommandState::Waiting);
    }

    #[test]
    fn a_device_that_enrolled_in_time_may_take_longer_to_come_online() {
        let current = enrollment(EnrollmentState::Done, &[Stage::Reached, Stage::CertificateIssued]);
        assert_eq!(
            command_state(Some(&current), Some(at(100)), at(101)),
            CommandState::Waiting
        );
        let current = enrollment(EnrollmentState::Done, &STAGES);
        assert_eq!(
            command_state(Some(&current), Some(at(100)), at(500)),
            CommandState::Online
        );
    }

    #[test]
    fn what_became_of_an_older_command_says_nothing_of_this_one() {
        let old = enrollment(EnrollmentState::Withdrawn, &[]);
        assert_eq!(
            command_state(Some(&old), Some(at(900)), at(10)),
            CommandState::Waiting
        );
        assert_eq!(command_state(Some(&old), None, at(10)), CommandState::Withdrawn);
    }

    #[test]
    fn the_newest_stage_is_the_headline() {
        assert_eq!(headline(None, "nas"), "Waiting for device…");
        let current = enrollment(EnrollmentState::Waiting, &[Stage::Reached]);
        assert_eq!(
            headline(Some(&current), "nas"),
            "Device reached the controller (from 192.0.2.7)"
        );
        assert_eq!(
            headline(Some(&enrollment(EnrollmentState::Done, &STAGES)), "nas"),
            "nas is online"
        );
        let words: Vec<_> = stage_lines(Some(&current), "nas")
            .into_iter()
            .map(|line| line.text)
            .collect();
        assert_eq!(words[1..], ["Identity checked", "Certificate issued", "Online"]);
    }
}
