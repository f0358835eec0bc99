//! How far the loading of something has come, and which of its answers counts.
//!
//! Life cycle ([`Load`]): absent → loading → ready or failed; failed → loading. What was ready once stays ready through
//! every reload, whether that succeeds or not. Requests that overlap are numbered by their [`Ticket`]s, and only the
//! newest one's answer is taken: an older answer says what was before, however late it comes.

use super::api::Failure;
use flotilla_protocol::Timestamp;

/// How far the loading of something has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Load {
    /// Nothing asked for it.
    #[default]
    Absent,
    /// It is being loaded for the first time, or again after a failure.
    Loading { since: Timestamp },
    /// It could not be loaded, and nothing is known of it.
    Failed(Failure),
    /// It is known, as it was at a moment.
    Ready { as_of: Timestamp, reload: Reload },
}

/// What became of the newest attempt to load something again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reload {
    /// None was made, or the newest one succeeded.
    #[default]
    Idle,
    Going {
        since: Timestamp,
    },
    Failed(Failure),
}

impl Load {
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }

    /// Nothing is known yet, and nothing has failed.
    #[must_use]
    pub fn is_first(&self) -> bool {
        matches!(self, Self::Absent | Self::Loading { .. })
    }

    /// A request is on its way.
    #[must_use]
    pub fn is_going(&self) -> bool {
        matches!(
            self,
            Self::Loading { .. }
                | Self::Ready {
                    reload: Reload::Going { .. },
                    ..
                }
        )
    }

    /// Why the newest attempt failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure)
            | Self::Ready {
                reload: Reload::Failed(failure),
                ..
            } => Some(failure),
            _ => None,
        }
    }
}

/// A request whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// The [`Load`] of something, with the number of its newest request.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    load: Load,
    newest: u64,
}

impl Progress {
    #[must_use]
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// A request is sent. From then on only its answer counts.
    pub fn begin(&mut self, now: Timestamp) -> Ticket {
        self.newest += 1;
        match &mut self.load {
            Load::Loading { .. } => {}
            Load::Ready { reload, .. } => {
                if !matches!(reload, Reload::Going { .. }) {
                    *reload = Reload::Going { since: now };
                }
            }
            load => *load = Load::Loading { since: now },
        }
        Ticket(self.newest)
    }

    /// The request has an answer. Returns whether it counts.
    pub fn succeed(&mut self, ticket: Ticket, now: Timestamp) -> bool {
        let counts = self.counts(ticket);
        if counts {
            self.load = Load::Ready {
                as_of: now,
                reload: Reload::Idle,
            };
        }
        counts
    }

    /// The request has none. Returns whether that counts.
    pub fn fail(&mut self, ticket: Ticket, failure: Failure) -> bool {
        let counts = self.counts(ticket);
        if counts {
            match &mut self.load {
                Load::Ready { reload, .. } => *reload = Reload::Failed(failure),
                load => *load = Load::Failed(failure),
            }
        }
        counts
    }

    fn counts(&self, ticket: Ticket) -> bool {
        ticket.0 == self.newest && self.load.is_going()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::api::Why;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn of_two_overlapping_requests_the_older_never_wins() {
        let mut progress = Progress::default();
        let (older, newer) = (progress.begin(at(1)), progress.begin(at(2)));
        assert!(!progress.fail(older, Failure::of(Why::Unreachable)));
        assert_eq!(*progress.load(), Load::Loading { since: at(1) });
        assert!(progress.succeed(newer, at(3)));
        assert!(!progress.succeed(older, at(4)));
        let reload = Reload::Idle;
        assert_eq!(*progress.load(), Load::Ready { as_of: at(3), reload });
    }

    #[test]
    fn what_was_ready_stays_ready_and_says_that_its_reload_failed() {
        let mut progress = Progress::default();
        let first = progress.begin(at(1));
        progress.succeed(first, at(1));
        let second = progress.begin(at(5));
        assert!(progress.load().is_ready() && progress.load().is_going());
        let failure = Failure::of(Why::Unreachable);
        assert!(progress.fail(second, failure.clone()));
        let reload = Reload::Failed(failure);
        assert_eq!(*progress.load(), Load::Ready { as_of: at(1), reload });
    }

    proptest! {
        /// Requests end in any order, well or not.
        #[test]
        fn only_the_newest_request_decides(ends in prop::collection::vec((0usize..6, any::<bool>()), 1..20)) {
            let mut progress = Progress::default();
            let tickets: Vec<_> = (0..6).map(|n| progress.begin(at(n))).collect();
            for (nth, well) in ends {
                let counted = if well {
                    progress.succeed(tickets[nth], at(9))
                } else {
                    progress.fail(tickets[nth], Failure::of(Why::Unreachable))
                };
                prop_assert!(!counted || nth == 5);
                prop_assert!(!counted || !progress.load().is_going());
            }
        }
    }
}
