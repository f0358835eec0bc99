//! What came of an action, as far as it failed.

use super::Object;
use crate::{api::Failure, clock::now, copy::actions as copy, format};
use flotilla_protocol::{Code, api::Job, job::JobState};

/// At most this many failures are told by themselves; more are one sentence.
const TOLD_ALONE: usize = 3;

/// The failures of an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The keys of the objects or of their parts for which it failed.
    keys: Vec<String>,
    /// It failed for all of them.
    all: bool,
    words: Vec<String>,
}

impl Outcome {
    /// The call for an object failed.
    pub(super) fn failed<O: Object>(&mut self, object: &O, past: &str, failure: &Failure) {
        let (name, device) = (object.name(), object.device_name());
        self.keys.push(object.key());
        self.words.push(match failure.code() {
            Some(Code::DeviceOffline) => {
                let seen = object.device().and_then(|device| device.last_seen);
                let seen = seen.map(|seen| format::age(seen, now()));
                copy::offline(&device, &name, past, seen.as_deref())
            }
            Some(Code::NoAnswer) => copy::no_answer(&device),
            _ => copy::failed_for(&name, &failure.to_string()),
        });
    }

    /// A job did not begin, or nothing tells any more how it goes.
    pub(super) fn refused(failure: &Failure) -> Self {
        Self {
            all: true,
            words: vec![failure.to_string()],
            ..Self::default()
        }
    }

    /// A job is over. Of a bulk job, each container that is not as wanted has failed.
    pub(super) fn of_job(job: &Job) -> Self {
        if job.state == JobState::Done {
            return Self::default();
        }
        let undone = job
            .outcomes
            .iter()
            .filter(|outcome| outcome.state != JobState::Done);
        let keys: Vec<_> = undone
            .map(|outcome| format!("{}/{}", outcome.device_id, outcome.container))
            .collect();
        let said = match (&job.problem, job.state) {
            (Some(problem), _) => problem.message.clone(),
            (None, JobState::Canceled) => copy::CANCELED.to_owned(),
            (None, _) => copy::NOT_DONE.to_owned(),
        };
        Self {
            all: job.outcomes.is_empty(),
            keys,
            words: vec![said],
        }
    }

    /// Whether it failed for an object, or for a part of it.
    pub(super) fn concerns<O: Object>(&self, object: &O) -> bool {
        let has_failed = |key: &String| self.keys.contains(key);
        self.all || has_failed(&object.key()) || object.parts().iter().any(has_failed)
    }

    /// The sentences that are shown. More than a few failures are one sentence.
    pub(super) fn words(&self, past: &str) -> Vec<String> {
        match self.words.as_slice() {
            [first, _, ..] if self.words.len() > TOLD_ALONE => {
                vec![copy::failed_many(self.words.len(), past, first)]
            }
            few => few.to_vec(),
        }
    }
}
