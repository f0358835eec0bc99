//! Ids of containers, images and networks, and their short form, which people, tools and engines write, too.

/// Hexadecimal digits of a whole id.
pub(crate) const DIGITS: usize = 64;

/// Digits of the short form, by which engines call a container that has no other name.
pub(crate) const SHORT: usize = 12;

/// The short form of an id.
pub(crate) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// Whether a text stands for this id. Engines accept any beginning of an id; fewer digits than the short form has are
/// more likely a name.
pub(crate) fn is_meant(id: &str, text: &str) -> bool {
    id == text || text.len() >= SHORT && id.starts_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_meant_by_itself_and_by_a_beginning_that_is_no_name() {
        let id = "4f1c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
        assert_eq!((id.len(), short(id)), (DIGITS, "4f1c0d1e2f3a"));
        for text in [id, &id[..40], short(id)] {
            assert!(is_meant(id, text), "{text}");
        }
        for text in ["", &id[..11], "4f1c0d1e2f3b", "0d1e2f3a4b5c"] {
            assert!(!is_meant(id, text), "{text}");
        }
    }
}
