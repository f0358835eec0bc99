//! The elements that show the rows of the window.
//!
//! A row keeps its element for as long as it is in the window. An element whose row is gone shows the row that stands in
//! its place, if there is one, because changing an element costs far less than making one. No element is moved for that:
//! one that is moved loses the focus.

use std::collections::{BTreeMap, BTreeSet};

/// The number of an element, unique in the window.
pub(super) type SlotNumber = u32;

/// An element, and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot<T> {
    pub number: SlotNumber,
    pub shown: T,
}

/// Gives each item of the window an element, in the order of the window. Keys are unique in each window.
pub(super) fn assign<T, K: Ord + ?Sized>(
    previous: &[Slot<T>],
    window: Vec<T>,
    key: impl Fn(&T) -> &K,
) -> Vec<Slot<T>> {
    let places: BTreeMap<&K, usize> = previous.iter().map(|slot| key(&slot.shown)).zip(0..).collect();
    let place_of = |item: &T| places.get(key(item)).copied();
    let mut taken: BTreeSet<usize> = window.iter().filter_map(place_of).collect();
    let in_use: BTreeSet<SlotNumber> = previous.iter().map(|slot| slot.number).collect();
    let mut fresh = (0..).filter(|number| !in_use.contains(number));
    // Where the element of the row before stands among the previous ones.
    let mut after = 0;
    let mut number_for = |item: &T| {
        if let Some(place) = place_of(item) {
            after = place + 1;
            return Some(previous[place].number);
        }
        let free = previous.get(after).filter(|_| taken.insert(after));
        after += usize::from(free.is_some());
        free.map(|slot| slot.number).or_else(|| fresh.next())
    };
    let numbers: Vec<_> = window.iter().filter_map(&mut number_for).collect();
    let slot = |(number, shown)| Slot { number, shown };
    numbers.into_iter().zip(window).map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(slots: &[Slot<u8>]) -> Vec<SlotNumber> {
        slots.iter().map(|slot| slot.number).collect()
    }

    fn assigned(previous: &[Slot<u8>], window: impl IntoIterator<Item = u8>) -> Vec<Slot<u8>> {
        assign(previous, window.into_iter().collect(), |item| item)
    }

    #[test]
    fn other_rows_take_over_the_elements_of_those_in_whose_place_they_are() {
        let first = assigned(&[], 0..5);
        assert_eq!(numbers(&first), [0, 1, 2, 3, 4]);
        assert_eq!(numbers(&assigned(&first, 10..15)), [0, 1, 2, 3, 4], "all of them");
        assert_eq!(
            numbers(&assigned(&first, [0, 11, 2, 13])),
            [0, 1, 2, 3],
            "one is left over"
        );
        assert_eq!(
            numbers(&assigned(&first, 2..7)),
            [2, 3, 4, 5, 6],
            "those scrolled out are not moved"
        );
        assert_eq!(numbers(&assigned(&first, [7, 8, 4])), [0, 1, 4]);
    }

    fn window() -> impl Strategy<Value = Vec<u8>> {
        let some =
            prop::collection::btree_set(0u8..40, 0..20).prop_map(|keys| keys.into_iter().collect::<Vec<_>>());
        prop_oneof![some.clone(), some.prop_shuffle()]
    }

    proptest! {
        #[test]
        fn every_row_has_one_element_and_keeps_it(windows in prop::collection::vec(window(), 1..8)) {
            let mut slots: Vec<Slot<u8>> = Vec::new();
            for window in windows {
                let next = assigned(&slots, window.clone());
                prop_assert_eq!(next.iter().map(|slot| slot.shown).collect::<Vec<_>>(), window);
                let unique: BTreeSet<_> = numbers(&next).into_iter().collect();
                prop_assert_eq!(unique.len(), next.len());
                for slot in &next {
                    let before = slots.iter().find(|before| before.shown == slot.shown);
                    prop_assert!(before.is_none_or(|before| before.number == slot.number));
                }
                slots = next;
            }
        }

        #[test]
        fn no_element_is_moved_while_the_order_stays(before in window(), after in window()) {
            let sorted = |mut window: Vec<u8>| { window.sort_unstable(); window };
            let before = assigned(&[], sorted(before));
            let after = assigned(&before, sorted(after));
            let place = |number: &SlotNumber| numbers(&before).iter().position(|known| known == number);
            let places: Vec<_> = numbers(&after).iter().filter_map(place).collect();
            prop_assert!(places.is_sorted(), "{places:?}");
        }
    }
}
