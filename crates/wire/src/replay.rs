//! Which counters were seen: a sliding window, as in RFC 6479, in one word of 128 bits.

/// Accepts each counter once, in any order within 128 of the highest.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplayWindow {
    /// One more than the highest counter that was seen; 0 before the first.
    next: u64,
    /// Bit n is set when `next - 1 - n` was seen.
    seen: u128,
}

impl ReplayWindow {
    /// Whether this counter is new. It is marked as seen, so this must be called only for authenticated frames.
    pub fn accept(&mut self, counter: u64) -> bool {
        let Some(after) = counter.checked_add(1) else {
            return false;
        };
        if let Some(ahead) = after.checked_sub(self.next).filter(|ahead| *ahead > 0) {
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.next = after;
            return true;
        }
        let behind = u32::try_from(self.next - after).unwrap_or(u32::MAX);
        let bit = 1u128.checked_shl(behind).unwrap_or(0);
        let new = bit != 0 && self.seen & bit == 0;
        self.seen |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_counter_is_good_once_and_too_old_ones_never() {
        let mut window = ReplayWindow::default();
        assert!(window.accept(1000) && window.accept(999) && window.accept(873));
        assert!(!window.accept(1000) && !window.accept(999) && !window.accept(872));
        assert!(window.accept(u64::MAX - 1) && !window.accept(1001) && !window.accept(u64::MAX));
    }

    proptest! {
        #[test]
        fn it_decides_as_a_list_of_all_counters_would(counters in proptest::collection::vec(0u64..400, 0..300)) {
            let mut window = ReplayWindow::default();
            let mut seen = BTreeSet::new();
            for counter in counters {
                let highest = seen.last().copied().unwrap_or(0);
                let expected = counter + 128 > highest && seen.insert(counter);
                prop_assert_eq!(window.accept(counter), expected);
            }
        }
    }
}
