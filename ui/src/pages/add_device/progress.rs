//! How far the device has come, as sentences.

use crate::copy::add_device as copy;
use flotilla_protocol::{
    Code, Timestamp,
    api::{Enrollment, EnrollmentFailure, EnrollmentState, Stage},
};

/// What the last step shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Waiting,
    Expired,
    /// Another command took the place of this one.
    Withdrawn,
    Online,
}

/// Stages in their order.
pub(super) const STAGES: [Stage; 4] = [
    Stage::Reached,
    Stage::IdentityChecked,
    Stage::CertificateIssued,
    Stage::Online,
];

/// Where a command stands. What is known of an enrollment may still be about the command before this one, whose
/// life ended at another moment.
#[must_use]
pub(super) fn standing(
    enrollment: Option<&Enrollment>,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Standing {
    let told = enrollment
        .filter(|told| expires.is_none_or(|expires| expires.as_second() == told.expires.as_second()));
    let expires = expires.or(told.map(|told| told.expires));
    let is_over = expires.is_some_and(|expires| expires <= now);
    match told.map(|told| told.state) {
        _ if told.is_some_and(|told| is_reached(told, Stage::Online)) => Standing::Online,
        Some(EnrollmentState::Expired) => Standing::Expired,
        Some(EnrollmentState::Withdrawn) => Standing::Withdrawn,
        Some(EnrollmentState::Waiting | EnrollmentState::Unknown) | None if is_over => Standing::Expired,
        Some(EnrollmentState::Waiting | EnrollmentState::Done | EnrollmentState::Unknown) | None => {
            Standing::Waiting
        }
    }
}

#[must_use]
pub(super) fn is_reached(enrollment: &Enrollment, stage: Stage) -> bool {
    enrollment.stages.iter().any(|reached| reached.stage == stage)
}

/// One sentence for the newest stage.
#[must_use]
pub(super) fn headline(enrollment: Option<&Enrollment>, device: &str) -> String {
    let newest = enrollment.and_then(|told| told.stages.iter().max_by_key(|reached| reached.stage));
    newest.map_or_else(
        || copy::WAITING.to_owned(),
        |newest| copy::reached(newest.stage, device, newest.from.as_deref()),
    )
}

/// A line of the list of stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub text: String,
    pub at: Option<Timestamp>,
}

#[must_use]
pub(super) fn lines(enrollment: Option<&Enrollment>, device: &str) -> Vec<Line> {
    let line = |stage: Stage| {
        let reached = enrollment.and_then(|told| told.stages.iter().find(|reached| reached.stage == stage));
        let text = |from: &Option<String>| copy::reached(stage, device, from.as_deref());
        reached.map_or_else(
            || Line {
                text: copy::upcoming(stage),
                at: None,
            },
            |reached| Line {
                text: text(&reached.from),
                at: Some(reached.at),
            },
        )
    };
    STAGES.into_iter().map(line).collect()
}

/// What to say of an attempt that was refused.
#[must_use]
pub(super) fn failure(failure: &EnrollmentFailure) -> String {
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
        let told = enrollment(EnrollmentState::Waiting, &[]);
        assert_eq!(standing(Some(&told), Some(at(100)), at(99)), Standing::Waiting);
        assert_eq!(standing(Some(&told), Some(at(100)), at(100)), Standing::Expired);
        assert_eq!(standing(None, Some(at(100)), at(99)), Standing::Waiting);
    }

    #[test]
    fn a_device_that_enrolled_in_time_may_take_longer_to_come_online() {
        let told = enrollment(EnrollmentState::Done, &[Stage::Reached, Stage::CertificateIssued]);
        assert_eq!(standing(Some(&told), Some(at(100)), at(101)), Standing::Waiting);
        let told = enrollment(EnrollmentState::Done, &STAGES);
        assert_eq!(standing(Some(&told), Some(at(100)), at(500)), Standing::Online);
    }

    #[test]
    fn what_became_of_an_older_command_says_nothing_of_this_one() {
        let old = enrollment(EnrollmentState::Withdrawn, &[]);
        assert_eq!(standing(Some(&old), Some(at(900)), at(10)), Standing::Waiting);
        assert_eq!(standing(Some(&old), None, at(10)), Standing::Withdrawn);
    }

    #[test]
    fn the_newest_stage_is_the_headline() {
        assert_eq!(headline(None, "nas"), "Waiting for device…");
        let told = enrollment(EnrollmentState::Waiting, &[Stage::Reached]);
        assert_eq!(
            headline(Some(&told), "nas"),
            "Device reached the controller (from 192.0.2.7)"
        );
        assert_eq!(
            headline(Some(&enrollment(EnrollmentState::Done, &STAGES)), "nas"),
            "nas is online"
        );
        let words: Vec<_> = lines(Some(&told), "nas")
            .into_iter()
            .map(|line| line.text)
            .collect();
        assert_eq!(words[1..], ["Identity checked", "Certificate issued", "Online"]);
    }
}
