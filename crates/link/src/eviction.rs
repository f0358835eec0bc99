//! Which connection is evicted when a newcomer comes at the limit: one of the source that holds the most.
//!
//! So a source that opens many connections loses its own, and no limit per source is needed. Within a source, and
//! among sources that hold equally many, idle connections are evicted before busy ones, and the oldest first.

use flotilla_protocol::id::DeviceId;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// The source that a connection is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// See [`flotilla_protocol::neighborhood`].
    Neighborhood(IpAddr),
    Device(DeviceId),
}

/// How much work is lost when a connection is evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing is under way.
    Idle,
    /// A handshake, or a request that was not answered yet.
    Busy,
    /// Upgraded, by a guest.
    Live,
}

/// A connection among those of its source, in the order of eviction. The number grows with each arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) stage: Stage,
    pub(crate) number: u64,
}

/// The connections that share one limit.
#[derive(Debug, Default)]
pub(crate) struct EvictionQueue {
    sources: BTreeMap<Source, BTreeSet<Member>>,
    /// By the number of connections of a source, then by the source's own first candidate; the last entry is evicted.
    order: BTreeSet<(usize, Reverse<Member>, Source)>,
    len: usize,
}

impl EvictionQueue {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn enter(&mut self, source: Source, member: Member) {
        self.change(source, |members| members.insert(member));
    }

    pub(crate) fn leave(&mut self, source: Source, member: Member) {
        self.change(source, |members| members.remove(&member));
    }

    /// The connection that is evicted for a newcomer of this source. `None` when that could only be a live connection
    /// of a source that would then have fewer than the newcomer's: the newcomer is refused.
    pub(crate) fn victim(&self, newcomer: Source) -> Option<Member> {
        let (most, Reverse(first), _) = self.order.last().copied()?;
        let own = self.sources.get(&newcomer);
        let has = own.map_or(0, BTreeSet::len);
        if has >= most {
            return own.and_then(BTreeSet::first).copied();
        }
        let is_unfair = most > has + 1;
        Some(first).filter(|first| is_unfair || first.stage < Stage::Live)
    }

    fn change(&mut self, source: Source, change: impl FnOnce(&mut BTreeSet<Member>) -> bool) {
        let members = self.sources.entry(source).or_default();
        let (before, rank) = (members.len(), rank(members, source));
        change(members);
        let (after, new_rank) = (members.len(), self::rank(members, source));
        if after == 0 {
            self.sources.remove(&source);
        }
        self.len = self.len + after - before;
        if let Some(rank) = rank {
            self.order.remove(&rank);
        }
        self.order.extend(new_rank);
    }
}

fn rank(members: &BTreeSet<Member>, source: Source) -> Option<(usize, Reverse<Member>, Source)> {
    let first = members.first()?;
    Some((members.len(), Reverse(*first), source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn from(number: u8) -> Source {
        Source::Neighborhood(IpAddr::from([192, 0, 2, number]))
    }

    fn member(stage: Stage, number: u64) -> Member {
        Member { stage, number }
    }

    fn queue(members: impl IntoIterator<Item = (u8, Stage)>) -> EvictionQueue {
        let mut queue = EvictionQueue::default();
        for (number, (source, stage)) in (0..).zip(members) {
            queue.enter(from(source), member(stage, number));
        }
        queue
    }

    #[test]
    fn the_source_that_has_the_most_gives_way() {
        let queue = queue([(1, Stage::Idle), (2, Stage::Busy), (2, Stage::Busy)]);
        assert_eq!(queue.victim(from(1)), Some(member(Stage::Busy, 1)));
        assert_eq!(queue.victim(from(3)), Some(member(Stage::Busy, 1)));
        assert_eq!(queue.victim(from(2)), Some(member(Stage::Busy, 1)));
    }

    #[test]
    fn the_idle_go_before_the_busy_and_the_oldest_of_them_first() {
        let one_source = queue([(1, Stage::Busy), (1, Stage::Idle), (1, Stage::Idle)]);
        assert_eq!(one_source.victim(from(1)), Some(member(Stage::Idle, 1)));
        let many = queue([
            (1, Stage::Busy),
            (2, Stage::Idle),
            (3, Stage::Busy),
            (4, Stage::Idle),
        ]);
        assert_eq!(many.victim(from(9)), Some(member(Stage::Idle, 1)));
    }

    #[test]
    fn a_live_one_gives_way_to_its_own_source_and_to_one_that_has_two_fewer() {
        let queue = queue([(1, Stage::Live), (2, Stage::Live)]);
        assert_eq!(queue.victim(from(3)), None);
        assert_eq!(queue.victim(from(1)), Some(member(Stage::Live, 0)));
        let mut queue = queue;
        queue.enter(from(2), member(Stage::Live, 2));
        assert_eq!(queue.victim(from(3)), Some(member(Stage::Live, 1)));
    }

    proptest! {
        /// Sources come in any order, each any number of times; the limit is sixteen connections.
        #[test]
        fn however_many_come_a_source_that_takes_little_loses_nothing(arrivals in vec(0u8..20, 1..400)) {
            let (mut queue, mut held) = (EvictionQueue::default(), BTreeMap::new());
            queue.enter(from(99), member(Stage::Busy, 0));
            held.insert(0, from(99));
            for (number, source) in (1..).zip(arrivals) {
                let source = from(source % 10);
                if queue.len() == 16 {
                    let gone = queue.victim(source).unwrap();
                    let of = held.remove(&gone.number).unwrap();
                    queue.leave(of, gone);
                }
                queue.enter(source, member(Stage::Busy, number));
                held.insert(number, source);
                prop_assert_eq!(queue.len(), held.len());
                prop_assert!(queue.len() <= 16);
                prop_assert!(held.contains_key(&0), "ten others share fifteen places: none needs the sixteenth");
            }
        }
    }
}
