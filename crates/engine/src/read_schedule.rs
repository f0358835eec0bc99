//! Which part of the engine's state is read next: a state machine without a clock of its own.
//!
//! Life cycle of a [`Subject`]: marked → due → being read → read, or failing. A subject that is marked while it is
//! being read is due once more. One that fails is read again without a mark, after pauses that grow. Failing subjects
//! have few places of their own, so that reads which hang never keep the others waiting.

use flotilla_protocol::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// How many subjects are read at once: enough to hide the engine's latency; more would only crowd a small board.
const PARALLEL: usize = 8;

/// How many subjects that failed before are read at once, beside those.
const PARALLEL_FAILING: usize = 2;

/// The least time between two reads of a subject that has probably not changed: the list of containers, and a container
/// of which only a health check without its result was told. A person notices no shorter delay.
const PACE: Duration = Duration::from_secs(2);

/// A part of the engine's state that one request reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Which containers there are.
    Containers,
    /// One container, by id.
    Container(String),
    Images,
    Volumes,
    Networks,
}

impl Subject {
    pub(crate) const LISTS: [Self; 4] = [Self::Containers, Self::Images, Self::Volumes, Self::Networks];
}

/// A subject that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) reason: String,
    /// When the first of the failed reads began.
    pub(crate) since: Timestamp,
    pause: Duration,
    again: Instant,
}

/// The pauses after which a failed subject is read again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

#[derive(Debug)]
pub(crate) struct ReadSchedule {
    pauses: Pauses,
    due: BTreeSet<Subject>,
    /// Subjects being read, and whether they were marked meanwhile.
    running: BTreeMap<Subject, bool>,
    failing: BTreeMap<Subject, Failing>,
    /// Those of `due` that keep the pace, because they have probably not changed.
    paced: BTreeSet<Subject>,
    /// When the last read of a subject began; reads longer ago than the pace are forgotten.
    last_begun: BTreeMap<Subject, Instant>,
}

impl ReadSchedule {
    pub(crate) fn new(pauses: Pauses) -> Self {
        Self {
            pauses,
            due: BTreeSet::new(),
            running: BTreeMap::new(),
            failing: BTreeMap::new(),
            paced: BTreeSet::new(),
            last_begun: BTreeMap::new(),
        }
    }

    pub(crate) fn mark(&mut self, subject: Subject) {
        self.paced.remove(&subject);
        self.mark_again(subject);
    }

    /// Marks a subject that has probably not changed: it keeps the pace, and nothing waits for it.
    pub(crate) fn mark_paced(&mut self, subject: Subject) {
        if !self.due.contains(&subject) {
            self.paced.insert(subject.clone());
            self.mark_again(subject);
        }
    }

    fn mark_again(&mut self, subject: Subject) {
        match self.running.get_mut(&subject) {
            Some(again) => *again = true,
            None => drop(self.due.insert(subject)),
        }
    }

    /// The subject whose read is to begin now, if any.
    pub(crate) fn poll_next(&mut self, now: Instant) -> Option<Subject> {
        let failing = |subject: &&Subject| self.failing.contains_key(*subject);
        let busy_failing = self.running.keys().filter(failing).count();
        let busy = self.running.len() - busy_failing;
        let may_run = |subject: &&Subject| {
            let has_place = match failing(subject) {
                true => busy_failing < PARALLEL_FAILING,
                false => busy < PARALLEL,
            };
            has_place && self.early_until(subject).is_none_or(|at| at <= now)
        };
        let again = self.failing.iter().filter(|(_, failing)| failing.again <= now);
        let again = again.map(|(subject, _)| subject);
        let idle = |subject: &&Subject| !self.running.contains_key(*subject);
        let next = self.due.iter().chain(again.filter(idle)).find(may_run)?.clone();
        self.due.remove(&next);
        self.paced.remove(&next);
        self.running.insert(next.clone(), false);
        self.last_begun.retain(|_, at| now < *at + PACE);
        self.last_begun.insert(next.clone(), now);
        Some(next)
    }

    /// Until when a subject that keeps the pace is not read again.
    fn early_until(&self, subject: &Subject) -> Option<Instant> {
        let is_paced = *subject == Subject::Containers || self.paced.contains(subject);
        let last_begun = is_paced.then(|| self.last_begun.get(subject))?;
        last_begun.map(|at| *at + PACE)
    }

    pub(crate) fn succeeded(&mut self, subject: &Subject) {
        self.failing.remove(subject);
        self.ended(subject);
    }

    /// Notes a failed read that began at `asked_at`.
    pub(crate) fn failed(&mut self, subject: &Subject, reason: String, asked_at: Timestamp, now: Instant) {
        let before = self.failing.get(subject);
        let pause = before.map_or(self.pauses.first, |before| before.pause * 2);
        let pause = pause.min(self.pauses.longest);
        let failing = Failing {
            // The first reason stays, so that a failure with changing reasons is reported once.
            reason: before.map_or(reason, |before| before.reason.clone()),
            since: before.map_or(asked_at, |before| before.since),
            pause,
            again: now + pause,
        };
        self.failing.insert(subject.clone(), failing);
        self.ended(subject);
    }

    fn ended(&mut self, subject: &Subject) {
        if self.running.remove(subject) == Some(true) {
            self.due.insert(subject.clone());
        }
    }

    pub(crate) fn failing(&self, subject: &Subject) -> Option<&Failing> {
        self.failing.get(subject)
    }

    /// Whether every subject that is due or being read either failed before or waits for its pace.
    pub(crate) fn is_settled(&self, now: Instant) -> bool {
        let fails = |subject: &Subject| self.failing.contains_key(subject);
        let waits = |subject: &Subject| self.early_until(subject).is_some_and(|at| now < at);
        let is_due = self.due.iter().any(|subject| !fails(subject) && !waits(subject));
        !is_due && self.running.keys().all(fails)
    }

    /// When a subject can be read next without any event.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let idle = |subject: &Subject| !self.running.contains_key(subject);
        let again = self.failing.iter().filter(|(subject, _)| idle(subject));
        let again = again.map(|(_, failing)| failing.again);
        let early = self.due.iter().filter_map(|subject| self.early_until(subject));
        again.chain(early).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses {
        first: Duration::from_secs(10),
        longest: Duration::from_secs(15),
    };

    fn container(id: impl ToString) -> Subject {
        Subject::Container(id.to_string())
    }

    fn all(schedule: &mut ReadSchedule, now: Instant) -> Vec<Subject> {
        std::iter::from_fn(|| schedule.poll_next(now)).collect()
    }

    fn fail(schedule: &mut ReadSchedule, subject: &Subject, reason: &str, now: Instant) {
        schedule.failed(subject, reason.into(), Timestamp::UNIX_EPOCH, now);
    }

    #[test]
    fn what_is_marked_while_it_is_read_is_read_once_more() {
        let (mut schedule, now) = (ReadSchedule::new(PAUSES), Instant::now());
        schedule.mark(container(1));
        assert_eq!(all(&mut schedule, now), [container(1)]);
        schedule.mark(container(1));
        schedule.mark(container(1));
        assert_eq!(all(&mut schedule, now), []);
        schedule.succeeded(&container(1));
        assert_eq!(all(&mut schedule, now), [container(1)]);
        schedule.succeeded(&container(1));
        assert!(schedule.is_settled(now) && all(&mut schedule, now).is_empty());
    }

    #[test]
    fn what_failed_is_tried_again_in_growing_pauses_and_stays_one_failure() {
        let (mut schedule, mut now) = (ReadSchedule::new(PAUSES), Instant::now());
        schedule.mark(Subject::Images);
        all(&mut schedule, now);
        fail(&mut schedule, &Subject::Images, "first", now);
        assert!(schedule.is_settled(now));
        for pause in [10, 15, 15] {
            assert_eq!(schedule.wake_at(), Some(now + Duration::from_secs(pause)));
            assert_eq!(all(&mut schedule, now + Duration::from_secs(pause - 1)), []);
            now += Duration::from_secs(pause);
            assert_eq!(all(&mut schedule, now), [Subject::Images]);
            assert!(schedule.is_settled(now), "what fails keeps nothing waiting");
            fail(&mut schedule, &Subject::Images, "other", now);
        }
        assert_eq!(schedule.failing(&Subject::Images).unwrap().reason, "first");
        now += PAUSES.longest;
        all(&mut schedule, now);
        schedule.succeeded(&Subject::Images);
        assert!(schedule.failing(&Subject::Images).is_none() && schedule.wake_at().is_none());
    }

    #[test]
    fn those_that_hang_leave_room_for_the_others() {
        let (mut schedule, now) = (ReadSchedule::new(PAUSES), Instant::now());
        for id in 0..20 {
            schedule.mark(container(id));
        }
        let first = all(&mut schedule, now);
        assert_eq!(first.len(), PARALLEL);
        for subject in &first {
            fail(&mut schedule, subject, "silent", now);
        }
        let later = now + PAUSES.first;
        let next = all(&mut schedule, later);
        let again = next.iter().filter(|subject| first.contains(subject)).count();
        assert_eq!(
            (next.len(), again),
            (PARALLEL + PARALLEL_FAILING, PARALLEL_FAILING)
        );
    }

    #[test]
    fn containers_are_not_listed_again_and_again() {
        let (mut schedule, now) = (ReadSchedule::new(PAUSES), Instant::now());
        schedule.mark(Subject::Containers);
        assert_eq!(all(&mut schedule, now), [Subject::Containers]);
        schedule.succeeded(&Subject::Containers);
        schedule.mark(Subject::Containers);
        assert_eq!(all(&mut schedule, now), []);
        assert!(schedule.is_settled(now), "others are shown meanwhile");
        assert_eq!(schedule.wake_at(), Some(now + PACE));
        assert_eq!(all(&mut schedule, now + PACE), [Subject::Containers]);
    }

    #[test]
    fn what_was_only_checked_has_a_pace_until_something_happens_to_it() {
        let (mut schedule, now) = (ReadSchedule::new(PAUSES), Instant::now());
        schedule.mark_paced(container(1));
        assert_eq!(all(&mut schedule, now), [container(1)]);
        schedule.mark_paced(container(1));
        schedule.succeeded(&container(1));
        assert_eq!(all(&mut schedule, now), []);
        assert_eq!(
            (schedule.wake_at(), schedule.is_settled(now)),
            (Some(now + PACE), true)
        );
        schedule.mark(container(1));
        schedule.mark_paced(container(1));
        assert_eq!(all(&mut schedule, now), [container(1)]);
        schedule.succeeded(&container(1));
        schedule.mark_paced(container(1));
        assert_eq!(all(&mut schedule, now + PACE), [container(1)]);
    }
}
