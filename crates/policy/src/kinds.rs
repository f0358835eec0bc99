//! Groups things that the same rules select into kinds, so that each kind is computed once.

use std::collections::BTreeMap;

/// A set of a policy's rules, by their index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleSet(Vec<u64>);

impl RuleSet {
    /// The set of the `things` that are marked, by their index.
    pub(crate) fn of<T>(things: &[T], is_marked: impl Fn(&T) -> bool) -> Self {
        let words = things.chunks(64).map(|word| {
            let bits = word.iter().rev();
            bits.fold(0, |bits, thing| bits << 1 | u64::from(is_marked(thing)))
        });
        Self(words.collect())
    }

    pub(crate) fn holds(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    /// The rules in both sets, which belong to the same policy.
    pub(crate) fn common(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(one, other)| one & other)
                .collect(),
        )
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|index| self.holds(*index))
    }
}

/// The things grouped by kind, in their order.
pub(crate) fn by_kind<K: Ord, T>(
    things: impl IntoIterator<Item = T>,
    kind: impl Fn(&T) -> K,
) -> BTreeMap<K, Vec<T>> {
    let mut kinds: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for thing in things {
        kinds.entry(kind(&thing)).or_default().push(thing);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_a_set(pairs in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..200)) {
            let (one, other) = (RuleSet::of(&pairs, |pair| pair.0), RuleSet::of(&pairs, |pair| pair.1));
            let both = |index: &usize| pairs[*index].0 && pairs[*index].1;
            let expected: Vec<_> = (0..pairs.len()).filter(both).collect();
            prop_assert_eq!(one.meets(&other), !expected.is_empty());
            prop_assert_eq!(one.common(&other).iter().collect::<Vec<_>>(), expected);
        }
    }
}
