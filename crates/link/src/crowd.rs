//! Who of a crowd gives way when somebody comes and there is no room: a member of the source that holds the most.
//!
//! So whoever takes much takes it from itself, and nobody has to say how much each may have. Within a source, and
//! among sources that hold as much, whoever does nothing goes before whoever is at work, and the oldest goes first.

use flotilla_protocol::id::DeviceId;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// To whom a connection is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// See [`flotilla_protocol::neighborhood`].
    Neighborhood(IpAddr),
    Device(DeviceId),
}

/// How much is lost when a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing is under way.
    Idle,
    /// A handshake, or a request that was not answered yet.
    Busy,
    /// Upgraded, by somebody who may.
    Live,
}

/// A connection among those of its source: the first in order goes first. The number grows with each arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) stage: Stage,
    pub(crate) number: u64,
}

/// Connections that share one room.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    sources: BTreeMap<Source, BTreeSet<Member>>,
    /// By how many they have, and then by who of them goes first; the last one gives way.
    order: BTreeSet<(usize, Reverse<Member>, Source)>,
    len: usize,
}

impl Crowd {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn enter(&mut self, source: Source, member: Member) {
        self.change(source, |members| members.insert(member));
    }

    pub(crate) fn leave(&mut self, source: Source, member: Member) {
        self.change(source, |members| members.remove(&member));
    }

    /// Who gives way to a newcomer of this source. `None` when only a live member of a source that has no more than
    /// the newcomer's would have: then there is really no room.
    pub(crate) fn gives_way(&self, newcomer: Source) -> Option<Member> {
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

    fn crowd(members: impl IntoIterator<Item = (u8, Stage)>) -> Crowd {
        let mut crowd = Crowd::default();
        for (number, (source, stage)) in (0..).zip(members) {
            crowd.enter(from(source), member(stage, number));
        }
        crowd
    }

    #[test]
    fn the_source_that_has_the_most_gives_way() {
        let crowd = crowd([(1, Stage::Idle), (2, Stage::Busy), (2, Stage::Busy)]);
        assert_eq!(crowd.gives_way(from(1)), Some(member(Stage::Busy, 1)));
        assert_eq!(crowd.gives_way(from(3)), Some(member(Stage::Busy, 1)));
        assert_eq!(crowd.gives_way(from(2)), Some(member(Stage::Busy, 1)));
    }

    #[test]
    fn the_idle_go_before_the_busy_and_the_oldest_of_them_first() {
        let one_source = crowd([(1, Stage::Busy), (1, Stage::Idle), (1, Stage::Idle)]);
        assert_eq!(one_source.gives_way(from(1)), Some(member(Stage::Idle, 1)));
        let many = crowd([
            (1, Stage::Busy),
            (2, Stage::Idle),
            (3, Stage::Busy),
            (4, Stage::Idle),
        ]);
        assert_eq!(many.gives_way(from(9)), Some(member(Stage::Idle, 1)));
    }

    #[test]
    fn a_live_one_gives_way_to_its_own_source_and_to_whoever_has_less_by_two() {
        let crowd = crowd([(1, Stage::Live), (2, Stage::Live)]);
        assert_eq!(crowd.gives_way(from(3)), None);
        assert_eq!(crowd.gives_way(from(1)), Some(member(Stage::Live, 0)));
        let mut crowd = crowd;
        crowd.enter(from(2), member(Stage::Live, 2));
        assert_eq!(crowd.gives_way(from(3)), Some(member(Stage::Live, 1)));
    }

    proptest! {
        /// Sources come in any order, each as often as it likes; the room is for sixteen.
        #[test]
        fn however_many_come_a_source_that_takes_little_loses_nothing(arrivals in vec(0u8..20, 1..400)) {
            let (mut crowd, mut held) = (Crowd::default(), BTreeMap::new());
            crowd.enter(from(99), member(Stage::Busy, 0));
            held.insert(0, from(99));
            for (number, source) in (1..).zip(arrivals) {
                let source = from(source % 10);
                if crowd.len() == 16 {
                    let gone = crowd.gives_way(source).unwrap();
                    let of = held.remove(&gone.number).unwrap();
                    crowd.leave(of, gone);
                }
                crowd.enter(source, member(Stage::Busy, number));
                held.insert(number, source);
                prop_assert_eq!(crowd.len(), held.len());
                prop_assert!(crowd.len() <= 16);
                prop_assert!(held.contains_key(&0), "ten others share fifteen places: none needs the sixteenth");
            }
        }
    }
}
