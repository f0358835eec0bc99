//! The rows that are elements of the page: those in view and a few around them, at most 80 with the one that has the
//! focus.

use std::ops::Range;

/// The greatest height of the body, in rows. In a taller window the footer is higher up.
pub(super) const ROWS_IN_VIEW: usize = 66;

/// Rows above and below the view that are in the page, so that fast scrolling shows no gap.
const AROUND: usize = 6;

/// The rows that have to be in the page for a scroll position. All measures are px.
pub(super) fn window(scrolled: f64, view: f64, row: f64, total: usize) -> Range<usize> {
    if row <= 0.0 {
        return 0..0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "floored, and saturating at 0"
    )]
    let (top, seen) = ((scrolled / row).floor() as usize, (view / row).ceil() as usize);
    let seen = seen.min(ROWS_IN_VIEW) + 1;
    let start = top.min(total).saturating_sub(AROUND);
    start..(top + seen + AROUND).min(total).max(start)
}

/// The scroll position at which a row is in view; `None` if it is in view already.
pub(super) fn reveal(position: usize, scrolled: f64, view: f64, row: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    let top = position as f64 * row;
    if top < scrolled {
        Some(top)
    } else if top + row > scrolled + view {
        Some(top + row - view)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_in_view_come_with_six_on_either_side() {
        assert_eq!(window(3200.0, 320.0, 32.0, 10_000), 94..117);
        assert_eq!(window(0.0, 320.0, 32.0, 3), 0..3);
        assert_eq!(window(1e9, 320.0, 32.0, 3), 0..3);
        assert_eq!(window(0.0, 320.0, 0.0, 3), 0..0);
    }

    proptest! {
        #[test]
        fn never_more_than_79_and_a_focused_one(scrolled in 0.0..1e7f64, view in 0.0..1e5f64, row in 1.0..100.0f64, total in 0usize..100_000) {
            let window = window(scrolled, view, row, total);
            prop_assert!(window.len() <= 79, "{window:?}");
            prop_assert!(window.end <= total);
        }

        #[test]
        fn a_revealed_row_is_in_the_window(position in 0usize..10_000, scrolled in 0.0..300_000.0f64, rows in 1usize..60) {
            let (row, view) = (32.0, rows as f64 * 32.0);
            let scrolled = reveal(position, scrolled, view, row).unwrap_or(scrolled);
            prop_assert!(window(scrolled, view, row, 10_000).contains(&position));
            prop_assert_eq!(reveal(position, scrolled, view, row), None);
        }
    }
}
