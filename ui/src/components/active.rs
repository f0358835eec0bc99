//! The active entry of a list of suggestions, moved by arrow keys.

/// The active entry after an arrow key, of `count`. It goes round at the ends; an empty list has none.
pub fn next_active(key: &str, active: Option<usize>, count: usize) -> Option<usize> {
    if count == 0 {
        return None;
    }
    Some(match (key, active) {
        ("ArrowDown", None) => 0,
        ("ArrowDown", Some(at)) => (at + 1) % count,
        (_, None) => count - 1,
        (_, Some(at)) => (at + count - 1) % count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_go_round_and_have_nowhere_to_go_in_an_empty_list() {
        assert_eq!(next_active("ArrowDown", None, 2), Some(0));
        assert_eq!(next_active("ArrowDown", Some(1), 2), Some(0));
        assert_eq!(next_active("ArrowUp", None, 2), Some(1));
        assert_eq!(next_active("ArrowUp", Some(0), 2), Some(1));
        assert_eq!(next_active("ArrowDown", None, 0), None);
    }
}
